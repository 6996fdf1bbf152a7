import { type PieceRun, RunBuilder } from './pieces.ts';

/**
 * Returns the pieces of a table that are left for a pass that resumes at an offset. Only pieces after their table are
 * certain to have been handed out by the earlier pass; the others are handed out again.
 *
 * @param table offset of the table in the file
 * @param from offset before which everything was handled, except for pieces that precede their table
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
