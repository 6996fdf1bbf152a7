import { GrainDigest } from './grain-digest.ts';
import { failures, SECTOR, type SparseHeader } from './header.ts';

export const ENTRY = 4;
/** Entry of a grain table for a grain that reads as zeros and has no location, like the entry 0. */
export const ZERO_GRAIN = 1;
const LARGEST_DIRECTORY = 4 * 1024 * 1024;

/** Takes bytes at an offset that does not precede the last one. */
export type TakeAt = (offset: number, length: number) => Promise<Buffer>;

/** Returns the number of grain tables of a disk. */
export function tableCount({ capacity, grainSize, entriesPerGrainTable }: SparseHeader): number {
  return Math.ceil(capacity / (grainSize * entriesPerGrainTable));
}

/**
 * Returns the length of the grain directory in bytes.
 *
 * @throws RandomAccessNeeded where it is too large to be kept in memory
 */
export function readableDirectoryLength(header: SparseHeader): number {
  const length = tableCount(header) * ENTRY;
  if (length > LARGEST_DIRECTORY) throw failures.needsRandomAccess('has a very large grain directory');
  return length;
}

/** Adds the grains that one table maps. */
export function addTable(digest: GrainDigest, table: Buffer, index: number, entries: number): void {
  for (let entry = 0; entry < entries; entry += 1) {
    const sector = table.readUInt32LE(entry * ENTRY);
    if (sector > ZERO_GRAIN) digest.add(index * entries + entry, sector);
  }
}

/**
 * Reads the grain directory and the tables that precede the grains.
 *
 * @throws RandomAccessNeeded where the layout is different
 */
export async function readTablesAhead(header: SparseHeader, start: number, takeAt: TakeAt): Promise<GrainDigest> {
  const { entriesPerGrainTable: entries, overhead } = header;
  const digest = new GrainDigest();
  const length = readableDirectoryLength(header);
  const directory = Buffer.from(await takeAt(within(start, length, 0, overhead), length));
  let end = start + length;
  for (let index = 0; index * ENTRY < length; index += 1) {
    const place = directory.readUInt32LE(index * ENTRY) * SECTOR;
    if (place === 0) continue;
    const table = await takeAt(within(place, entries * ENTRY, end, overhead), entries * ENTRY);
    addTable(digest, table, index, entries);
    end = place + table.length;
  }
  return digest;
}

function within(start: number, length: number, from: number, to: number): number {
  if (start >= from && start + length <= to) return start;
  throw failures.needsRandomAccess('has its grain tables at unusual places');
}
