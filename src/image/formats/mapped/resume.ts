import { RunBuilder, type PieceRun } from './pieces.ts';

/**
 * What of a table's pieces is left for a pass that goes on at an offset. Only pieces behind their table are certain to have
 * been handed out by the pass before; the others are handed out again.
 *
 * @param table where the table lies in the file
 * @param from all that lies before is known, but for pieces that lie before their table
 */
export function piecesLeft(pieces: PieceRun, table: number, from: number): PieceRun {
  if (table >= from) return pieces;
  const left = new RunBuilder();
  for (; pieces.host < Infinity; pieces.advance()) {
    const { host, guest, length, isWhole } = pieces;
    if (isWhole) {
      if (host < table || host >= from) left.addWhole(host, guest, length);
      continue;
    }
    const known = host < table ? 0 : Math.min(length, Math.max(0, from - host));
    left.addPlain(host + known, guest + known, length - known);
  }
  return left.finish();
}
