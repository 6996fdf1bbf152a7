import type { CloneRow } from './clone-rows.ts';

const COLUMNS: readonly (readonly [title: string, field: keyof CloneRow])[] = [
  ['NAMESPACE', 'namespace'],
  ['NAME', 'name'],
  ['SOURCE', 'source'],
  ['STRATEGY', 'strategy'],
  ['PHASE', 'phase'],
  ['PROGRESS', 'progress'],
  ['RATE', 'rate'],
  ['AGE', 'age'],
  ['WHY', 'detail'],
];

/**
 * Formats the lines of an aligned table, starting with its titles; where there are no clones, a single line says so.
 */
export function cloneTable(rows: readonly CloneRow[], width = Infinity): string[] {
  if (rows.length === 0) return ['No clones are under way.'];
  const lines = [COLUMNS.map(([title]) => title), ...rows.map((row) => COLUMNS.map(([, field]) => row[field] || '-'))];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, column) => (column === COLUMNS.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .slice(0, width),
  );
}
