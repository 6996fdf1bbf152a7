/** Columns of a table: their titles, and the fields of a row that they show. */
export type Columns<Row> = readonly (readonly [title: string, field: keyof Row & string])[];

/**
 * Formats the lines of an aligned table, starting with its titles.
 *
 * @param width longest line in characters
 */
export function tableLines<Row>(columns: Columns<Row>, rows: readonly Row[], width = Infinity): string[] {
  const cells = rows.map((row) => columns.map(([, field]) => String(row[field] || '-')));
  const lines = [columns.map(([title]) => title), ...cells];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, column) => (column === columns.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .slice(0, width),
  );
}
