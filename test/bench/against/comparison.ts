import { middle, table } from '../table.ts';

/** What was measured in one run, by name and unit. */
export type Figures = Readonly<Record<string, number>>;

/** The same runs of two builds, in alternation. */
export interface Compared {
  readonly row: string;
  readonly ours: readonly Figures[];
  readonly theirs: readonly Figures[];
}

/**
 * Medians of both builds as a table in Markdown, and the median of the ratios of runs that followed each other.
 *
 * @param other the other build's name
 */
export function comparison(other: string, rows: readonly Compared[]): string {
  const lines = rows.flatMap(({ row, ours, theirs }) =>
    Object.keys({ ...ours[0], ...theirs[0] }).map((figure) => {
      const [own, others] = [ours, theirs].map((runs) => runs.map((run) => run[figure] ?? NaN));
      const ratios = (own ?? []).map((value, index) => value / (others?.[index] ?? NaN));
      return [row, figure, shown(middle(own ?? [])), shown(middle(others ?? [])), shown(middle(ratios))];
    }),
  );
  return table(['work', 'measured', 'this build', other, 'ratio'], lines);
}

/** Three digits, or what is before the point. A figure that one of the builds does not have is left out. */
function shown(value: number): string {
  if (!Number.isFinite(value)) return '';
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
