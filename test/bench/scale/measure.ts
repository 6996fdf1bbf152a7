import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DataVolume, dataVolumes } from '../../../src/api/data-volume.ts';
import { persistentVolumeClaims } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import type { Informer } from '../../../src/kube/informer.ts';
import { Manager } from '../../../src/kube/manager.ts';
import { type ApiServer, startApiServer } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLogger } from '../../support/logger.ts';
import type { Build } from '../against/build.ts';
import { callsBetween, callsIn, type MetricSamples, reconcilesBetween } from '../metric-samples.ts';
import { createClone, createGoldenImage, install, type Strategy } from './api-with-storage.ts';
import { ControllerProcess } from './controller-process.ts';
import { simulateStorage } from './simulated-storage.ts';

const CREATORS = 32;
/** No request for so long: what the last clone brought about is over. */
const QUIET_MILLISECONDS = 2_000;

export interface ScaleResult {
  readonly strategy: Strategy;
  readonly count: number;
  /** From the first DataVolume's creation to the last one's success. */
  readonly seconds: number;
  /** Of processor time, in milliseconds: of the controller, the API server, etcd, and the simulated storage. */
  readonly cpuPerClone: number;
  readonly serverCpuPerClone: number;
  readonly etcdCpuPerClone: number;
  readonly simulationCpuPerClone: number;
  readonly callsPerClone: number;
  /** Calls per clone by verb and resource, most first. */
  readonly calls: readonly (readonly [string, number])[];
  /** Bytes resident before the first clone, after the last, and at most. */
  readonly residentBefore: number;
  readonly residentAfter: number;
  readonly residentPeak: number;
  /** Seconds of one reconciliation, at most, for 50 % and for 99 % of them. */
  readonly reconcileMedian: number;
  readonly reconcile99: number;
  readonly reconcilesPerClone: number;
  /** Reconciliations per clone by controller, most first. */
  readonly reconciles: readonly (readonly [string, number])[];
}

/**
 * Makes clones, all at once, by the controllers of a build, on a real API server with simulated storage, and tells what
 * that cost.
 *
 * @throws Error if they have not all succeeded in time
 */
export async function measureScale(
  build: Build,
  strategy: Strategy,
  count: number,
  log: (line: string) => void,
): Promise<ScaleResult> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-scale-'));
  // Nobody reads the events here, and etcd would have to keep them for an hour.
  const server = await startApiServer({ args: ['--event-ttl=5m'] });
  const client = new KubeClient(server.kubeConfig());
  const ending = new AbortController();
  const simulation = new Manager({ kubeConfig: server.kubeConfig(), logger: silentLogger(), component: 'simulation' });
  let controller: ControllerProcess | undefined;
  try {
    await install(server, client, build.folder);
    simulateStorage(simulation);
    const volumes = simulation.informer(dataVolumes);
    const running = simulation.run(ending.signal);
    await createGoldenImage(client, strategy);
    const kubeConfigPath = join(folder, 'kubeconfig');
    await writeFile(kubeConfigPath, server.kubeConfig({ token: server.controllersToken }).exportConfig());
    const controllerLog = join(folder, 'controller.log');
    controller = await ControllerProcess.start(build.folder, kubeConfigPath, server.adminToken, controllerLog);
    await goldenImageBound(client, strategy);
    await quiet(controller);
    log(`${build.name}: ${count} ${strategy} clones`);
    const before = await look(server, controller);
    const started = performance.now();
    await createAll(client, strategy, count);
    await allSucceeded(volumes, count, log);
    const seconds = (performance.now() - started) / 1000;
    await quiet(controller);
    const after = await look(server, controller);
    ending.abort();
    await running;
    const cpuPerClone = (of: keyof Moment['cpu']) => (after.cpu[of] - before.cpu[of]) / count;
    return {
      strategy,
      count,
      seconds,
      cpuPerClone: cpuPerClone('controller'),
      serverCpuPerClone: cpuPerClone('server'),
      etcdCpuPerClone: cpuPerClone('etcd'),
      simulationCpuPerClone: cpuPerClone('simulation'),
      callsPerClone: (callsIn(after.metrics) - callsIn(before.metrics)) / count,
      calls: callsBetween(before.metrics, after.metrics, count),
      residentBefore: before.resident,
      residentAfter: after.resident,
      residentPeak: after.peak,
      reconcileMedian: after.metrics.quantile('controller_reconcile_time_seconds', 0.5),
      reconcile99: after.metrics.quantile('controller_reconcile_time_seconds', 0.99),
      reconcilesPerClone:
        (after.metrics.sum('controller_reconcile_total') - before.metrics.sum('controller_reconcile_total')) / count,
      reconciles: reconcilesBetween(before.metrics, after.metrics, count),
    };
  } finally {
    ending.abort();
    await controller?.stop();
    await client.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What everything has used up to a moment. */
interface Moment {
  /** Milliseconds of processor time. */
  readonly cpu: Readonly<Record<'controller' | 'server' | 'etcd' | 'simulation', number>>;
  /** Of the controller, in bytes. */
  readonly resident: number;
  readonly peak: number;
  readonly metrics: MetricSamples;
}

async function look(api: ApiServer, controllers: ControllerProcess): Promise<Moment> {
  const [controller, { server, etcd }] = await Promise.all([controllers.usage(), api.usage()]);
  const { user, system } = process.cpuUsage();
  return {
    cpu: { controller: controller.cpu, server: server.cpu, etcd: etcd.cpu, simulation: (user + system) / 1000 },
    resident: controller.resident,
    peak: controller.peak,
    metrics: await controllers.metrics(),
  };
}

async function goldenImageBound(client: KubeClient, strategy: Strategy): Promise<void> {
  await eventually('the golden image is bound', async () =>
    (await client.list(persistentVolumeClaims)).some(
      ({ metadata, status }) => metadata?.name === `golden-${strategy}` && status?.phase === 'Bound',
    ),
  );
}

async function createAll(client: KubeClient, strategy: Strategy, count: number): Promise<void> {
  let next = 0;
  const create = async () => {
    while (next < count) await createClone(client, strategy, next++);
  };
  await Promise.all(Array.from({ length: CREATORS }, create));
}

async function allSucceeded(volumes: Informer<DataVolume>, count: number, log: (line: string) => void): Promise<void> {
  let last = -1;
  let lastChange = performance.now();
  let told = performance.now();
  for (;;) {
    const done = volumes.list().filter(({ status }) => status?.phase === 'Succeeded').length;
    if (done === count) return;
    const now = performance.now();
    if (done !== last) [last, lastChange] = [done, now];
    if (now - lastChange > 120_000) throw new Error(`stuck for two minutes: ${done} of ${count} clones have succeeded`);
    if (now - told > 20_000) {
      log(`  ${done} of ${count}`);
      told = now;
    }
    await sleep(100);
  }
}

/** Resolves when the controller has nothing more to do. */
async function quiet(controller: ControllerProcess): Promise<void> {
  for (let last = -1; ;) {
    const requests = callsIn(await controller.metrics());
    if (requests === last) return;
    last = requests;
    await sleep(QUIET_MILLISECONDS);
  }
}
