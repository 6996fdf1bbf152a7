import type { FileHandle } from 'node:fs/promises';

/** Sector size in bytes: the unit in which every block device can be read. */
export const SECTOR = 512;
const LARGEST_DEVICE = 2 ** 52;

/** Determines the size of a block device in bytes by reading, because stat reports 0. */
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
