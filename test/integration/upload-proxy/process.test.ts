import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env, execPath } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { bundle } from '../../../build/bundle.ts';
import { COPY_PORT } from '../../../src/protocol/transfer-pod.ts';
import { kubernetesIsBuilt } from '../../support/api-server.ts';
import { spawnBound } from '../../support/bound-child.ts';
import { eventually } from '../../support/eventually.ts';
import { freePorts } from '../../support/ports.ts';
import { type Handler, INSTALLATION, Rig, type StandIn } from './rig.ts';

const MEBIBYTE = 1024 * 1024;

async function* repeated(chunk: Buffer, times: number, pause = 0): AsyncGenerator<Buffer> {
  for (let index = 0; index < times; index++) {
    yield chunk;
    if (pause > 0) await sleep(pause);
  }
}

describe('the process of the upload proxy', function () {
  this.timeout(300_000);
  let folder: string;
  let rig: Rig;
  let proxy: ChildProcess;
  let port: number;
  let output = '';
  const standIns: StandIn[] = [];

  before(kubernetesIsBuilt);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'upload-proxy-'));
    await bundle(join(folder, 'dist'));
    rig = await Rig.start();
    await rig.createKeys();
    await writeFile(join(folder, 'kubeconfig'), rig.proxyAccess.exportConfig());
  });
  after(async () => {
    await rig?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    const [clientPort, metricsPort] = (await freePorts(2)) as [number, number];
    port = clientPort;
    output = '';
    proxy = spawnBound(execPath, [join(folder, 'dist/main.js'), 'uploadproxy'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...env,
        MALLOC_ARENA_MAX: '1',
        KUBECONFIG: join(folder, 'kubeconfig'),
        POD_NAMESPACE: INSTALLATION,
        PORT: String(port),
        METRICS_PORT: String(metricsPort),
      },
    });
    proxy.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text));
    await eventually('it is ready', async () => (await fetch(`http://127.0.0.1:${metricsPort}/readyz`)).ok);
  });
  afterEach(async () => {
    proxy.kill('SIGKILL');
    await Promise.all(standIns.splice(0).map((standIn) => standIn.kill()));
  });

  /** The most resident memory that the process has had, in MiB. */
  async function peak(): Promise<number> {
    const status = await readFile(`/proc/${proxy.pid}/status`, 'latin1');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }

  const count: Handler = (request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => (bytes += chunk.length));
    request.once('end', () => response.end(String(bytes)));
  };

  async function startServer(handler: Handler): Promise<string> {
    const claim = await rig.createClaim();
    const name = claim.metadata?.name ?? '';
    standIns.push(await rig.startServer(name, await rig.createService(name), COPY_PORT, handler));
    return rig.token(claim);
  }

  it('needs no more memory for an image of a gigabyte than for a small one, and logs no token', async () => {
    const token = await startServer(count);
    const body = repeated(randomBytes(MEBIBYTE), 1024);
    const answer = await rig.send(port, 'POST', '/v1beta1/upload', { token, body });
    expect(answer).to.include({ status: 200, text: String(1024 * MEBIBYTE) });
    expect(await peak()).to.be.below(110);
    expect(output)
      .to.contain(' status=200')
      .and.not.contain(token)
      .and.not.contain(token.split('.')[2] ?? '');
  });

  it('bounds the memory of fifty uploads at a time, however slow their servers are', async () => {
    const slow: Handler = (request, response) => {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        request.pause();
        setTimeout(() => request.resume(), 10);
      });
      request.once('end', () => response.end(String(bytes)));
    };
    const chunk = randomBytes(MEBIBYTE);
    const tokens = await Promise.all(Array.from({ length: 50 }, () => startServer(slow)));
    const answers = await Promise.all(
      tokens.map((token) => rig.send(port, 'POST', '/v1beta1/upload', { token, body: repeated(chunk, 4) })),
    );
    for (const answer of answers) expect(answer).to.include({ status: 200, text: String(4 * MEBIBYTE) });
    expect(await peak()).to.be.below(150);
  });

  it('ends when it is told to, with success', async () => {
    const exited = once(proxy, 'exit');
    proxy.kill('SIGTERM');
    expect(await exited).to.deep.equal([0, null]);
  });
});
