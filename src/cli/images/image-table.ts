import { type Columns, tableLines } from '../table.ts';
import type { ImageRow } from './image-rows.ts';

const COLUMNS: Columns<ImageRow> = [
  ['NAMESPACE', 'namespace'],
  ['NAME', 'name'],
  ['IMAGE', 'image'],
  ['DIGEST', 'digest'],
  ['AGE', 'age'],
  ['NEXT', 'next'],
  ['FORMAT', 'format'],
  ['READY', 'ready'],
  ['WHY', 'detail'],
];

/** Formats the lines of a table of golden images; where there are none, a single line says so. */
export function imageTable(rows: readonly ImageRow[], width = Infinity): string[] {
  return rows.length === 0 ? ['There are no DataImportCrons.'] : tableLines(COLUMNS, rows, width);
}
