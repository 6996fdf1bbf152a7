import { LARGEST_PIECE, RunBuilder, type PieceRun } from './pieces.ts';

const MOST_ENTRIES = 16 * 1024;
const MOST_PIECES = 64 * 1024;

/** The one table of an image that maps equal blocks of the disk, from its start on. Offsets and sizes in bytes. */
export interface BlockMap {
  offset: number;
  entryLength: number;
  /** Of the disk, or of the part of it that is mapped. */
  size: number;
  blockSize: number;
  /** Which entry is a block's, where there are others between them. */
  entryOf?: (block: number) => number;
}

/** Cuts a map into tables, each of which is small and does not map too many pieces. */
export function cutMap({ offset, entryLength, size, blockSize, entryOf = (block) => block }: BlockMap): PieceRun {
  const blocks = Math.ceil(size / blockSize);
  const piecesOfBlock = Math.ceil(blockSize / LARGEST_PIECE);
  const step = Math.max(1, Math.min(MOST_ENTRIES, Math.floor(MOST_PIECES / piecesOfBlock)));
  const tables = new RunBuilder();
  for (let block = 0; block < blocks; block += step) {
    const start = entryOf(block);
    const end = entryOf(Math.min(block + step, blocks) - 1) + 1;
    tables.addWhole(offset + start * entryLength, block * blockSize, (end - start) * entryLength);
  }
  return tables.finish();
}

/**
 * The data that one table, or a part of a cut map, tells of.
 *
 * @param guest where on the disk it begins
 * @param hostOf where the block lies in the file whose entry is there in the table; undefined for what reads as zeros
 */
export function parseMap(
  { entryLength, size, blockSize, entryOf = (block) => block }: Omit<BlockMap, 'offset'>,
  table: Buffer,
  guest: number,
  hostOf: (at: number) => number | undefined,
): PieceRun {
  const pieces = new RunBuilder();
  const first = guest / blockSize;
  for (let block = first; block * blockSize < size; block += 1) {
    const at = (entryOf(block) - entryOf(first)) * entryLength;
    if (at >= table.length) break;
    const host = hostOf(at);
    if (host !== undefined) pieces.addPlain(host, block * blockSize, Math.min(blockSize, size - block * blockSize));
  }
  return pieces.finish();
}
