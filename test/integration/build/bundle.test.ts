import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import { KubeConfig } from '@kubernetes/client-node';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { type Component, componentsIn } from '../../../build/bill-of-materials.ts';
import { bundle } from '../../../build/bundle.ts';
import { CommandFailed, run } from '../../cluster/commands.ts';
import { SimulatedApi } from '../../support/simulated-api.ts';

const nameOf = ({ group, name }: Component): string => (group ? `${group}/${name}` : name);

describe('what the image is made of', () => {
  let folder: string;
  let files: string[];
  let components: Component[];
  let server: Server;
  const tokens: (string | undefined)[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bundle-'));
    await bundle(join(folder, 'dist'));
    files = await readdir(join(folder, 'dist'), { recursive: true });
    components = await componentsIn(join(folder, 'dist'));
    server = createServer((request, response) => {
      tokens.push(request.headers.authorization);
      response.writeHead(401).end();
    }).listen(0, '127.0.0.1');
  });

  after(async () => {
    server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** What the command line says, which cannot look at a cluster for want of rights. */
  async function complaint(user: object): Promise<string> {
    const { port } = server.address() as AddressInfo;
    const path = join(folder, 'kubeconfig');
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'test', user }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    };
    await writeFile(path, stringify(config));
    try {
      return await run(execPath, [join(folder, 'dist/main.js'), 'clones', '-A'], { env: { KUBECONFIG: path } });
    } catch (error) {
      if (error instanceof CommandFailed) return error.stderr;
      throw error;
    }
  }

  it('runs, and finds its native code', async () => {
    expect(await run(execPath, [join(folder, 'dist/main.js'), '--version'])).to.match(/^\d+\.\d+\.\d+$/);
    expect(files).to.include('node_modules/koffi/index.js');
  });

  it('has no source maps', async () => {
    expect(files.filter((name) => extname(name) === '.map')).to.be.empty;
    const main = await readFile(join(folder, 'dist/main.js'), 'utf8');
    expect(main).not.to.include('sourceMappingURL');
  });

  it('is listed in its bill of materials: what is bundled and what is copied, with nothing that cannot be looked up', () => {
    const names = components.map(nameOf);
    expect(names).to.include.members(['@kubernetes/client-node', 'undici', 'zod', 'koffi']);
    expect(names.some((name) => name.startsWith('@koromix/koffi-'))).to.equal(true);
    for (const component of components) expect(component.purl, nameOf(component)).to.match(/^pkg:npm\//);
  });

  it('leaves out what is never used', () => {
    const unwanted = ['jsonpath-plus', 'ws', 'isomorphic-ws'];
    expect(components.map(nameOf).filter((name) => unwanted.includes(name))).to.be.empty;
  });

  it('has the licence of every package in it, and its own', async () => {
    const text = await readFile(join(folder, 'dist/THIRD_PARTY_LICENSES'), 'utf8');
    for (const component of components) expect(text).to.include(`\n${nameOf(component)} ${component.version} (`);
    // Parts of the native package, whose licence is beside it, have no text of their own.
    const untold = components.filter(({ evidence }) => !evidence?.licenses?.length).map(nameOf);
    expect(untold.filter((name) => !name.startsWith('@koromix/koffi-'))).to.be.empty;
    expect(files).to.include.members(['LICENSE', 'node_modules/koffi/LICENSE.txt']);
  });

  it('has all that the page of the dashboard loads', async () => {
    const api = new SimulatedApi([]);
    const config = new KubeConfig();
    config.loadFromClusterAndUser({ name: 'test', server: await api.start(), skipTLSVerify: true }, { name: 'test' });
    const path = join(folder, 'simulated');
    await writeFile(path, config.exportConfig());
    const child = spawn(execPath, [join(folder, 'dist/main.js'), 'dashboard', '--all-namespaces'], {
      env: { ...process.env, KUBECONFIG: path },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [address] = (await once(createInterface(child.stdout), 'line')) as [string];
      const page = await (await fetch(address)).text();
      const loaded = [...page.matchAll(/(?:src|href)="(\.\/assets\/[^"]+)"/g)].map(([, name = '']) => name);
      expect(loaded).to.have.lengthOf(3);
      for (const name of [...loaded, './assets/morphdom.js']) {
        const answer = await fetch(new URL(name, address));
        expect([name, answer.status, (await answer.text()).length > 0]).to.deep.equal([name, 200, true]);
      }
    } finally {
      child.kill('SIGKILL');
      api.stop();
    }
  });

  it('logs in by a program, as kubeconfigs of clouds do', async () => {
    const apiVersion = 'client.authentication.k8s.io/v1';
    const credential = JSON.stringify({ apiVersion, kind: 'ExecCredential', status: { token: 'given' } });
    const exec = { apiVersion, command: 'echo', args: [credential], interactiveMode: 'Never' };
    await complaint({ exec });
    expect(tokens).to.include('Bearer given');
  });

  it('says what to do instead of the logins that it leaves out', async () => {
    const config = { expiry: '2020-01-01T00:00:00Z', 'cmd-path': 'echo', 'cmd-args': '{}' };
    const keys = { 'token-key': '{.token}', 'expiry-key': '{.expiry}' };
    const message = await complaint({ 'auth-provider': { name: 'gcp', config: { ...config, ...keys } } });
    expect(message).to.include('gke-gcloud-auth-plugin');
  });
});
