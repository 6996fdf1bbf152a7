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
