import { type BlockRange, endOf } from '../../base/block-range.ts';
import { isZero } from '../../base/zeros.ts';
import { blocksToCheck, CHECKED_LENGTH } from './block-checks.ts';
import { mapOf } from './changed-disk.ts';
import { DiskInput } from './disk-input.ts';
import type { DiskMap } from './disk-reader.ts';

/** What the driver of a disk tells of it, which may be wrong. */
export interface ToldRanges {
  /** Size that the disk is said to have, in bytes. */
  readonly capacity: number;
  /** What is allocated, or what has changed: ascending, without overlaps, within the capacity. */
  readonly ranges: readonly BlockRange[];
}

/**
 * Adds to the ranges what is beyond the end that the driver knows of, as it can tell nothing of it.
 *
 * @param size of the disk in bytes
 * @returns undefined where the driver tells of a larger disk, which cannot be this one
 */
export function withUnknownEnd({ capacity, ranges }: ToldRanges, size: number): readonly BlockRange[] | undefined {
  if (capacity > size) return undefined;
  return capacity < size ? [...ranges, { offset: capacity, length: size - capacity }] : ranges;
}

/**
 * Returns what has to be read of a disk, the rest of which is zeros: what is allocated, and what is beyond the end that
 * its driver knows of. A sample of the rest is read; undefined where it is wrong.
 *
 * @param size of the disk in bytes
 * @throws TransferError SourceNotReadable, SourceChanged
 */
export async function rangesToRead(
  path: string,
  size: number,
  allocated: ToldRanges,
): Promise<readonly BlockRange[] | undefined> {
  const read = withUnknownEnd(allocated, size);
  if (read === undefined) return undefined;
  const disk = await DiskInput.open(path);
  const buffer = Buffer.allocUnsafe(CHECKED_LENGTH);
  try {
    for (const offset of blocksToCheck(read, size)) {
      if (!isZero(await disk.read(buffer, offset))) return undefined;
    }
    return read;
  } finally {
    await disk.close();
  }
}

/** Returns the map of a disk of which only the given ranges are read, and the rest is zeros. */
export function mapOfAllocated(ranges: readonly BlockRange[]): DiskMap {
  const map = mapOf(ranges);
  return function* (file, from, end) {
    for (const { offset, length, hole } of map(file, from, end)) yield { offset, length, hole };
  };
}

/** Returns a function that tells how many bytes of the ranges are between ascending offsets. */
export function bytesOfRanges(ranges: readonly BlockRange[]): (from: number, end: number) => number {
  let index = 0;
  return (from, end) => {
    let bytes = 0;
    for (let range = ranges[index]; range && range.offset < end; range = ranges[(index += 1)]) {
      bytes += Math.max(0, Math.min(end, endOf(range)) - Math.max(from, range.offset));
      if (endOf(range) > end) break;
    }
    return bytes;
  };
}
