import { type Columns, tableLines } from '../table.ts';
import type { CloneRow } from './clone-rows.ts';

const COLUMNS: Columns<CloneRow> = [
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
  return rows.length === 0 ? ['No clones are under way.'] : tableLines(COLUMNS, rows, width);
}
