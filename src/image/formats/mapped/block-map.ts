import { LARGEST_PIECE, type PieceRun, RunBuilder } from './pieces.ts';

const MOST_ENTRIES = 16 * 1024;
const MOST_PIECES = 64 * 1024;

/**
 * The single table of an image that maps the equal-sized blocks of the disk from its start. Offsets and sizes are in
 * bytes.
 */
export interface BlockMap {
  offset: number;
  entryLength: number;
  /** Size of the disk, or of the mapped part of it. */
  size: number;
  blockSize: number;
  /** Index of a block's entry, where other entries are in between. */
  entryOf?: (block: number) => number;
}

/** Splits a map into tables, each of which is small and does not map too many pieces. */
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
 * Parses the data that one table, or a part of a split map, maps.
 *
 * @param guest offset on the disk at which the table begins
 * @param hostOf returns the offset in the file of the block with the entry at an offset in the table; undefined for
 * blocks that read as zeros
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
