import type { Metric } from 'prom-client';

/**
 * The value of a metric's time series with these labels, among others; 0 if there is none; the sum if there are
 * several.
 */
export async function valueOf(metric: Metric, labels: Record<string, string | number> = {}): Promise<number> {
  const { values } = await metric.get();
  return values
    .filter((series) => Object.entries(labels).every(([name, value]) => series.labels[name] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
