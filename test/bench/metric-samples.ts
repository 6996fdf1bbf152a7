interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The samples of a Prometheus text document. */
export class MetricSamples {
  readonly #samples: readonly Sample[];

  constructor(text: string) {
    this.#samples = text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .flatMap((line) => {
        const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
        if (!match) return [];
        const labels = [...(match[2] ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]);
        return [
          { name: match[1] ?? '', labels: Object.fromEntries(labels) as Sample['labels'], value: Number(match[3]) },
        ];
      });
  }

  of(name: string): readonly Sample[] {
    return this.#samples.filter((sample) => sample.name === name);
  }

  /** The sum over all series of a name. */
  sum(name: string): number {
    return this.of(name).reduce((sum, { value }) => sum + value, 0);
  }

  /**
   * The value below which this share of a histogram's observations lie, all series taken together: the bucket's upper
   * bound.
   */
  quantile(name: string, share: number): number {
    const total = this.sum(`${name}_count`);
    const buckets = new Map<number, number>();
    for (const { labels, value } of this.of(`${name}_bucket`)) {
      const bound = labels['le'] === '+Inf' ? Infinity : Number(labels['le']);
      buckets.set(bound, (buckets.get(bound) ?? 0) + value);
    }
    const sorted = [...buckets].sort(([a], [b]) => a - b);
    return sorted.find(([, count]) => count >= share * total)?.[0] ?? NaN;
  }
}

/** What time brings about, and the reading of the metrics: who reads them is asked for with each new token. */
const OTHERS: readonly (string | undefined)[] = [
  'leases.coordination.k8s.io',
  'tokenreviews.authentication.k8s.io',
  'subjectaccessreviews.authorization.k8s.io',
];

/** Whether it looked, as it does from time to time, for a resource that the cluster does not serve. */
const isAbsent = ({ verb, code }: Sample['labels']) => verb === 'list' && code === '404';

/** Calls to the API server that one thing brings about. Watches are a matter of time, too. */
export function callsIn(metrics: MetricSamples): number {
  return metrics
    .of('rest_client_requests_total')
    .filter(({ labels }) => !OTHERS.includes(labels['resource']) && labels['verb'] !== 'watch' && !isAbsent(labels))
    .reduce((sum, { value }) => sum + value, 0);
}

/** Calls between two moments, by verb and resource, and by status where that is none of success; most first. */
export function callsBetween(before: MetricSamples, after: MetricSamples, count: number): [string, number][] {
  return differences(before, after, count, 'rest_client_requests_total', ({ verb, resource, code }) =>
    code?.startsWith('2') ? `${verb} ${resource}` : `${verb} ${resource} ${code}`,
  );
}

/** Reconciliations between two moments, by controller; most first. */
export function reconcilesBetween(before: MetricSamples, after: MetricSamples, count: number): [string, number][] {
  return differences(before, after, count, 'controller_reconcile_total', ({ controller }) => controller ?? '');
}

function differences(
  before: MetricSamples,
  after: MetricSamples,
  count: number,
  metric: string,
  nameOf: (labels: Sample['labels']) => string,
): [string, number][] {
  const tally = new Map<string, number>();
  for (const [samples, sign] of [
    [after, 1],
    [before, -1],
  ] as const) {
    for (const { labels, value } of samples.of(metric)) {
      const name = nameOf(labels);
      tally.set(name, (tally.get(name) ?? 0) + (sign * value) / count);
    }
  }
  return [...tally].filter(([, value]) => value >= 0.01).sort(([, a], [, b]) => b - a);
}
