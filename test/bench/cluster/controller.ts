import { setTimeout as sleep } from 'node:timers/promises';
import { pods } from '../../../src/kube/builtin-resources.ts';
import type { Environment } from '../../support/environment.ts';
import { callsIn, MetricSamples } from '../metric-samples.ts';

/** No call for so long: what the last clone brought about is over. */
const QUIET_MILLISECONDS = 2_000;

/** What the controllers of the cluster count. */
export async function controllerMetrics({ client, kubectl }: Environment): Promise<MetricSamples> {
  const [pod] = await client.list(pods, { namespace: 'cdi', labelSelector: 'cdi.kubevirt.io=cdi-deployment' });
  const path = `/api/v1/namespaces/cdi/pods/${pod?.metadata?.name}:8443/proxy/metrics`;
  return new MetricSamples(await kubectl.run('get', '--raw', path));
}

/** What they count when they have nothing more to do. */
export async function quietMetrics(environment: Environment): Promise<MetricSamples> {
  for (let last = await controllerMetrics(environment); ;) {
    await sleep(QUIET_MILLISECONDS);
    const now = await controllerMetrics(environment);
    if (callsIn(now) === callsIn(last)) return now;
    last = now;
  }
}
