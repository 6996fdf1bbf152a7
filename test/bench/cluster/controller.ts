import { setTimeout as sleep } from 'node:timers/promises';
import { readControllerMetrics } from '../../support/controller-metrics.ts';
import type { Environment } from '../../support/environment.ts';
import { callsIn, MetricSamples } from '../metric-samples.ts';

/** No call for so long: what the last clone brought about is over. */
const QUIET_MILLISECONDS = 2_000;

/** What the controllers of the cluster count. */
export async function controllerMetrics(environment: Environment): Promise<MetricSamples> {
  return new MetricSamples(await readControllerMetrics(environment));
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
