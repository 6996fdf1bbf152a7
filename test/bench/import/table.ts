import type { Measurement } from './measure.ts';
import type { Row } from './rows.ts';

export interface Result {
  row: Row;
  /** Bytes of the disk that are not holes. */
  data: number;
  ours: Measurement[];
  reference: Measurement[];
  /** What each part of the work takes by itself. */
  limits: { network: Measurement; decoding: Measurement | undefined; disk: Measurement };
}

const MEGABYTE = 1e6;

/** Medians, as a table in Markdown. */
export function report(results: Result[]): string {
  const head = [
    'import',
    'seconds',
    'reference',
    'ratio',
    'aim',
    'written ÷ data',
    'reference',
    'memory, MB',
    'network / decoding / dd alone, s',
  ];
  const lines = results.map(({ row, data, ours, reference, limits }) => {
    const median = (of: Measurement[], what: keyof Measurement) => middle(of.map((each) => each[what]));
    const [own, other] = [median(ours, 'seconds'), median(reference, 'seconds')];
    return [
      row.name,
      own.toFixed(1),
      other.toFixed(1),
      (own / other).toFixed(2),
      `≤ ${row.aim}`,
      (median(ours, 'written') / data).toFixed(2),
      (median(reference, 'written') / data).toFixed(2),
      Math.round(Math.max(...ours.map(({ memory }) => memory)) / MEGABYTE).toString(),
      [limits.network, limits.decoding, limits.disk].map((each) => each?.seconds.toFixed(1) ?? '–').join(' / '),
    ];
  });
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...lines.map(row)].join('\n');
}

function middle(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? NaN)) / 2;
}
