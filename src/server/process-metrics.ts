import { collectDefaultMetrics, type Registry } from 'prom-client';

/** Gauges that the library names like counters. The same by type are there under `nodejs_active_handles` and so on. */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** Registers the metrics of this process: processor time, memory, file descriptors, the event loop. */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
}
