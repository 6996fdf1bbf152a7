import type { FileHandle } from 'node:fs/promises';

/** Bytes; the unit in which every block device can be read. */
export const SECTOR = 512;
const LARGEST_DEVICE = 2 ** 52;

/** The size of a block device in bytes, found by reading, as its stat does not tell. */
export async function deviceSize(file: FileHandle): Promise<number> {
  const sector = Buffer.alloc(SECTOR);
  let low = 0;
  let high = LARGEST_DEVICE / SECTOR;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const { bytesRead } = await file.read(sector, 0, SECTOR, middle * SECTOR);
    if (bytesRead === SECTOR) low = middle + 1;
    else high = middle;
  }
  return low * SECTOR;
}
