import { setTimeout as sleep } from 'node:timers/promises';
import { pods } from '../../../src/kube/builtin-resources.ts';
import { type Environment, productNamespace } from '../../support/environment.ts';
import { MetricSamples } from '../metric-samples.ts';

const LOOK_MILLISECONDS = 250;

/** What the upload proxies take while something is sent through them. */
export interface ProxyUsage {
  /** Seconds of processor time, of all replicas together. */
  readonly processor: number;
  /** The most resident memory of one replica, in bytes. */
  readonly memory: number;
}

/** Measures the upload proxies while work is done. */
export async function proxyUsage<T>(
  environment: Environment,
  work: () => Promise<T>,
): Promise<{ result: T; usage: ProxyUsage }> {
  const before = await proxyMetrics(environment);
  const processorIn = (all: readonly MetricSamples[]) =>
    all.reduce((sum, metrics) => sum + metrics.sum('process_cpu_seconds_total'), 0);
  let memory = 0;
  let isWorking = true;
  const watch = async (): Promise<void> => {
    while (isWorking) {
      const now = await proxyMetrics(environment);
      memory = Math.max(memory, ...now.map((metrics) => metrics.sum('process_resident_memory_bytes')));
      await sleep(LOOK_MILLISECONDS);
    }
  };
  const watching = watch();
  try {
    const result = await work();
    return { result, usage: { processor: processorIn(await proxyMetrics(environment)) - processorIn(before), memory } };
  } finally {
    isWorking = false;
    await watching;
  }
}

async function proxyMetrics({ client, kubectl }: Environment): Promise<MetricSamples[]> {
  const labelSelector = 'cdi.kubevirt.io=cdi-uploadproxy';
  const replicas = await client.list(pods, { namespace: productNamespace, labelSelector });
  return Promise.all(
    replicas.map(async ({ metadata }) => {
      const path = `/api/v1/namespaces/${productNamespace}/pods/${metadata?.name}:8080/proxy/metrics`;
      return new MetricSamples(await kubectl.run('get', '--raw', path));
    }),
  );
}
