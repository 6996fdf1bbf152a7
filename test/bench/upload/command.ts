import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataVolumes } from '../../../src/api/data-volume.ts';
import { persistentVolumeClaims, services } from '../../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import { roleCertificates } from '../../../src/protocol/installation.ts';
import { run } from '../../cluster/commands.ts';
import { virtctlBinary } from '../../cluster/index.ts';
import { dataVolume, untilSucceeded } from '../../support/data-volumes.ts';
import { type Environment, prepareEnvironment, productNamespace } from '../../support/environment.ts';
import { createNamespace, removeNamespace } from '../../support/namespaces.ts';
import { until } from '../../support/until.ts';
import { startWebServer, webPath, type WebServer } from '../../support/web-server.ts';
import { benchCommand, roundsOption, smallOption } from '../command-line.ts';
import { dropCaches } from '../drop-caches.ts';
import { BenchImages, smallDisk, wholeDisk } from '../images.ts';
import { type ProxyUsage, proxyUsage } from './proxy-usage.ts';
import { secondsOfUsualTools } from './usual-tools.ts';

const IMAGE = 'disk.zlib.qcow2';
/** What virtctl says when the proxy has answered it. */
const ALL_SENT = 'Uploading data completed successfully';
const LONG_MILLISECONDS = 300_000;
const MEBIBYTE = 2 ** 20;

interface Round {
  /** Seconds of an import over http, from the creation of its DataVolume until it has succeeded. */
  readonly imported: number;
  /** Seconds from the creation of a DataVolume until it is UploadReady. */
  readonly ready: number;
  /** Seconds of an upload by virtctl into it, from its start to its end. */
  readonly uploaded: number;
  /** Of these, those after it has sent the last byte, and been told that all has arrived. */
  readonly afterLastByte: number;
  /** Seconds that the usual tools take. */
  readonly usual: number;
  readonly proxy: ProxyUsage;
  /** Claims for scratch space that were there at the end. */
  readonly scratchClaims: number;
}

interface Bench {
  readonly environment: Environment;
  readonly namespace: string;
  readonly web: WebServer;
  readonly virtctl: string;
  readonly image: string;
  /** Size of the claims, as a quantity. */
  readonly size: string;
}

/**
 * Measures uploads of a zlib qcow2 by virtctl on the test cluster, in turn with imports of the same over http and with
 * what the usual tools take.
 *
 * @returns the exit code: 0
 */
export async function upload(args: string[]): Promise<number> {
  const { rounds, small } = benchCommand('upload', 'Uploads a disk by virtctl, and imports the same.')
    .addOption(roundsOption(3))
    .addOption(smallOption())
    .parse(args, { from: 'user' })
    .opts<{ rounds: number; small: boolean }>();
  const log = (line: string): void => console.error(line);
  const environment = await prepareEnvironment(log);
  const images = new BenchImages(small ? smallDisk : wholeDisk, 'files', log);
  const image = await images.path(IMAGE);
  const virtctl = await virtctlBinary({ log });
  const state = await mkdtemp(join(tmpdir(), 'diskpress-bench-'));
  const web = await startWebServer({ address: environment.hostAddress, state, root: images.folder });
  const namespace = await createNamespace(environment.client, { prefix: 'bench' });
  const size = `${Math.ceil((images.dimensions.virtualSize / MEBIBYTE) * 1.125)}Mi`;
  try {
    const done: Round[] = [];
    for (let round = 0; round < rounds; round++) {
      done.push(await measureRound({ environment, namespace, web, virtctl, image, size }, round));
    }
    tell(done, (await stat(image)).size);
    return 0;
  } finally {
    await removeNamespace(environment.client, namespace);
    await web.stop();
    await rm(state, { recursive: true, force: true });
  }
}

async function measureRound(bench: Bench, round: number): Promise<Round> {
  const { environment, namespace, web, image, size } = bench;
  const { client } = environment;
  const claim = { storageClassName: environment.classes.standard, size };
  const imported = { namespace, name: `imported-${round}` };
  const url = `${web.url}${webPath.plain}/${IMAGE}`;
  await dropCaches();
  const importSeconds = await secondsOf(async () => {
    await client.create(dataVolumes, dataVolume(imported, { http: { url } }, claim));
    await untilSucceeded(client, imported, LONG_MILLISECONDS);
  });
  await client.delete(dataVolumes, imported);
  const target = { namespace, name: `uploaded-${round}` };
  const ready = await secondsOf(async () => {
    await client.create(dataVolumes, dataVolume(target, { upload: {} }, claim));
    await until(client, dataVolumes, target, 'it is ready', (found) => found?.status?.phase === 'UploadReady');
  });
  await dropCaches();
  const { result: sent, usage } = await proxyUsage(() => uploadByVirtctl(bench, target, image));
  const claims = await client.list(persistentVolumeClaims, { namespace });
  await client.delete(dataVolumes, target);
  await dropCaches();
  return {
    imported: importSeconds,
    ready,
    ...sent,
    usual: await secondsOfUsualTools(image),
    proxy: usage,
    scratchClaims: claims.filter(({ metadata }) => metadata?.name?.endsWith('-scratch')).length,
  };
}

async function uploadByVirtctl(
  { environment, virtctl }: Bench,
  { namespace, name }: ObjectKey,
  image: string,
): Promise<Pick<Round, 'uploaded' | 'afterLastByte'>> {
  const service = { namespace: productNamespace, name: roleCertificates.uploadproxy.service };
  const address = (await environment.client.get(services, service))?.spec?.clusterIP;
  // The certificate is for names, and this machine knows only addresses of the cluster.
  const options = ['--no-create', '--insecure', `--uploadproxy-url=https://${address}:443`];
  let arrived = NaN;
  const began = performance.now();
  await run(virtctl, ['image-upload', 'dv', name, '--namespace', namespace, `--image-path=${image}`, ...options], {
    env: { KUBECONFIG: environment.kubeConfigPath },
    onLine: (line) => {
      if (line.includes(ALL_SENT)) arrived = performance.now();
    },
  });
  const ended = performance.now();
  return { uploaded: (ended - began) / 1000, afterLastByte: (ended - arrived) / 1000 };
}

function tell(rounds: readonly Round[], imageSize: number): void {
  const median = (value: (round: Round) => number): number =>
    rounds.map(value).toSorted((a, b) => a - b)[Math.floor((rounds.length - 1) / 2)] ?? NaN;
  const gibibytes = imageSize / 2 ** 30;
  const rows: readonly (readonly [string, string])[] = [
    ['import over http, s', median(({ imported }) => imported).toFixed(1)],
    ['upload by virtctl, s', median(({ uploaded }) => uploaded).toFixed(1)],
    ['last byte → virtctl returns, s', median(({ afterLastByte }) => afterLastByte).toFixed(1)],
    ['upload ÷ import', median(({ uploaded, imported }) => uploaded / imported).toFixed(2)],
    ['curl, nginx and qemu-img, s', median(({ usual }) => usual).toFixed(1)],
    ['upload ÷ these', median(({ uploaded, usual }) => uploaded / usual).toFixed(2)],
    ['DataVolume created → UploadReady, s', median(({ ready }) => ready).toFixed(1)],
    ['processor time of the proxy, s/GiB', median(({ proxy }) => proxy.processor / gibibytes).toFixed(2)],
    ['memory of the proxy, MB', (Math.max(...rounds.map(({ proxy }) => proxy.memory)) / 1e6).toFixed(0)],
    ['claims for scratch space', String(Math.max(...rounds.map(({ scratchClaims }) => scratchClaims)))],
  ];
  console.log('| what | measured |\n| --- | --- |');
  for (const [what, measured] of rows) console.log(`| ${what} | ${measured} |`);
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
