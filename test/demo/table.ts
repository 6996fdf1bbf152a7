import type { Shown } from './show.ts';

/** The lines of a table that tells what was shown. */
export function table(lines: readonly Shown[]): string[] {
  const rows = [
    ['DATAVOLUME', 'SOURCE', 'POPULATED BY', 'SECONDS', 'BYTES', 'CONTENT', 'PHASES, WITH THE SECONDS SPENT IN EACH'],
    ...lines.map(({ volume, how, seconds, bytes, verdict, phases }) => [
      `${volume.namespace}/${volume.name}`,
      volume.source,
      how,
      seconds.toFixed(1),
      bytes === undefined ? '' : bytes.toLocaleString('en'),
      verdict.length > 12
        ? `${verdict.slice(0, verdict.indexOf(':') < 0 ? undefined : verdict.indexOf(':'))}`
        : verdict,
      phases,
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const right = new Set([3, 4]);
  return rows.map((row) =>
    row
      .map((cell, column) =>
        right.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
