import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuUsage } from 'node:process';
import type { DataVolumeSource } from '../../../src/api/source-fields.ts';
import type { KnownVersion } from '../../../src/controllers/image-polls/image-poller.ts';
import { SourcePoller } from '../../../src/controllers/image-polls/source-poller.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import type { KubeObject, Resource } from '../../../src/kube/resource.ts';
import { count as countOf } from '../../support/command-line.ts';
import { startRegistry } from '../../support/registry.ts';
import { startWebServer, webCredentials, webPath } from '../../support/web-server.ts';
import { benchCommand } from '../command-line.ts';

/** Milliseconds of processor time that a poll may take. */
const AIM_MILLISECONDS = 5;
const MEBIBYTE = 2 ** 20;

interface Row {
  readonly name: string;
  readonly source: DataVolumeSource;
  readonly poller?: SourcePoller;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/**
 * Measures what polls of images take of this process, against nginx and docker-registry on this machine.
 *
 * @returns the exit code: 0, or 1 where a poll takes more than its aim
 */
export async function polls(args: string[]): Promise<number> {
  const { polls: count } = benchCommand('polls', 'Asks a web server and a registry for the version of an image.')
    .option('--polls <count>', 'of each kind', countOf, 500)
    .parse(args, { from: 'user' })
    .opts<{ polls: number }>();
  const address = '127.0.0.1';
  const state = await mkdtemp(join(tmpdir(), 'diskpress-bench-'));
  const disk = join(state, 'disk.img');
  await writeFile(disk, Buffer.alloc(MEBIBYTE));
  const web = await startWebServer({ address, state, root: state });
  const registry = await startRegistry({ address, state });
  try {
    await registry.push({ name: 'golden/disk:v1', disk, compression: 'gzip' });
    const objects: Record<string, object> = {
      login: { data: { accessKeyId: base64(webCredentials.user), secretKey: base64(webCredentials.password) } },
      authority: { data: { 'ca.crt': web.authority } },
    };
    const client = {
      get: async <T extends KubeObject>(_: Resource<T>, { name }: ObjectKey) => objects[name] as T | undefined,
    };
    const insecureRegistries = [registry.host];
    const config = { insecureRegistries, hasFeatureGate: () => false, importProxy: {}, namespace: 'cdi' };
    const poller = new SourcePoller({ client, config, refusedNetworks: [] });
    let settings = 0;
    // Connections are shared by those with the same settings.
    const apart = {
      ...config,
      get importProxy() {
        return { noProxy: `host-${(settings += 1)}.example` };
      },
    };
    const apartPoller = new SourcePoller({ client, config: apart, refusedNetworks: [] });
    const rows: Row[] = [
      { name: 'http', source: { http: { url: `${web.url}${webPath.plain}/disk.img` } } },
      { name: 'http, login', source: { http: { url: `${web.url}${webPath.private}/disk.img`, secretRef: 'login' } } },
      {
        name: 'https, own authority',
        source: { http: { url: `${web.httpsUrl}${webPath.plain}/disk.img`, certConfigMap: 'authority' } },
      },
      {
        name: 'https, own authority, each over a new connection',
        source: { http: { url: `${web.httpsUrl}${webPath.plain}/disk.img`, certConfigMap: 'authority' } },
        poller: apartPoller,
      },
      { name: 'registry', source: { registry: { url: `docker://${registry.host}/golden/disk:v1` } } },
    ];
    console.log('| poll | polls | processor, ms each | aim | seconds for all |');
    console.log('| --- | --- | --- | --- | --- |');
    let isMet = true;
    for (const row of rows) {
      const { processor, seconds } = await measure(row.poller ?? poller, row, count);
      isMet &&= processor <= AIM_MILLISECONDS;
      console.log(`| ${row.name} | ${count} | ${processor.toFixed(2)} | ${AIM_MILLISECONDS} | ${seconds.toFixed(1)} |`);
    }
    return isMet ? 0 : 1;
  } finally {
    await Promise.all([web.stop(), registry.stop()]);
    await rm(state, { recursive: true, force: true });
  }
}

/** Polls as often as that, at once, half of it for a version that is known. Returns milliseconds of processor each. */
async function measure(poller: SourcePoller, { source }: Row, count: number) {
  const { signal } = new AbortController();
  const poll = (known?: KnownVersion) => poller.poll('team', source, known, signal);
  const known = await poll();
  const before = cpuUsage();
  const began = performance.now();
  await Promise.all(Array.from({ length: count }, (_, index) => poll(index % 2 === 0 ? known : undefined)));
  const { user, system } = cpuUsage(before);
  return { processor: (user + system) / 1000 / count, seconds: (performance.now() - began) / 1000 };
}
