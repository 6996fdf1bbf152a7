import { type Compared, comparison, type Figures } from '../against/comparison.ts';
import type { BenchData } from '../images.ts';
import { middle, table } from '../table.ts';
import type { Measurement } from './measure.ts';
import type { Row } from './rows.ts';
import { START_UP_AIM, type StartUp } from './start-up.ts';

export interface Result {
  row: Row;
  /** What the disk is full of. */
  kind: BenchData;
  /** Bytes of the disk that are not holes. */
  data: number;
  ours: Measurement[];
  reference: Measurement[];
  /** Of another build. */
  theirs: Measurement[];
  /** What each part of the work takes by itself. */
  limits: { network: Measurement; decoding: Measurement; disk: Measurement };
}

const MEGABYTE = 1e6;
/** What may be written at most, in what there is of data. */
const WRITTEN_AIM = 1.03;

/** Medians, as a table in Markdown; of the memory the most that it was. */
export function report(results: Result[]): string {
  const head = [
    'import',
    'data',
    'seconds',
    'reference',
    'ratio',
    'aim',
    'processor, s',
    'reference',
    `written ÷ data (≤ ${WRITTEN_AIM})`,
    'reference',
    'memory, MB',
    'aim',
    'network / decoding / dd alone, s',
    'processor of these, s',
  ];
  return table(
    head,
    results.map(({ row, kind, data, ours, reference, limits }) => {
      const median = (of: Measurement[], what: keyof Measurement) => middle(of.map((each) => each[what]));
      const [own, other] = [median(ours, 'seconds'), median(reference, 'seconds')];
      const alone = [limits.network, limits.decoding, limits.disk];
      return [
        row.name,
        kind,
        own.toFixed(1),
        other.toFixed(1),
        (own / other).toFixed(2),
        `≤ ${row.aim}`,
        median(ours, 'processor').toFixed(1),
        median(reference, 'processor').toFixed(1),
        (median(ours, 'written') / data).toFixed(2),
        (median(reference, 'written') / data).toFixed(2),
        Math.round(Math.max(...ours.map(({ memory }) => memory)) / MEGABYTE).toString(),
        `≤ ${row.memory / MEGABYTE}`,
        alone.map(({ seconds }) => seconds.toFixed(1)).join(' / '),
        alone.map(({ processor }) => processor.toFixed(1)).join(' / '),
      ];
    }),
  );
}

/** What was measured of both builds. */
export function reportAgainst(other: string, results: Result[]): string {
  return comparison(
    other,
    results.map(({ row, kind, ours, theirs }): Compared => ({
      row: `${row.name}, ${kind}`,
      ours: ours.map(figuresOf),
      theirs: theirs.map(figuresOf),
    })),
  );
}

function figuresOf({ seconds, processor, memory, written }: Measurement): Figures {
  return { seconds, 'processor, s': processor, 'memory, MB': memory / MEGABYTE, 'written, MB': written / MEGABYTE };
}

export function reportStartUp({ cold, warm }: StartUp): string {
  const head = ['importer, start to first request', 'seconds, cold caches', 'warm', 'aim'];
  return table(head, [['http', middle(cold).toFixed(2), middle(warm).toFixed(2), `≤ ${START_UP_AIM}`]]);
}
