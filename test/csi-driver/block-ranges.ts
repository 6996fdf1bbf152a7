import type { FileExtent } from './file-extents.ts';

/** Part of a volume, in bytes. */
export interface BlockRange {
  readonly offset: number;
  readonly length: number;
}

/** The ranges that have storage, of a volume of that size. */
export function allocatedRanges(extents: readonly FileExtent[], capacity: number): BlockRange[] {
  return joined(extents, capacity);
}

/** The ranges whose storage is not the same in two files: what was written in between, and what was freed. */
export function changedRanges(
  before: readonly FileExtent[],
  after: readonly FileExtent[],
  capacity: number,
): BlockRange[] {
  const borders = [...before, ...after].flatMap(({ offset, length }) => [offset, offset + length]);
  const sorted = [...new Set(borders)].sort((left, right) => left - right);
  const changed: BlockRange[] = [];
  const old = storageAt(before);
  const present = storageAt(after);
  for (const [index, offset] of sorted.entries()) {
    const end = sorted[index + 1];
    if (end !== undefined && old(offset) !== present(offset)) changed.push({ offset, length: end - offset });
  }
  return joined(changed, capacity);
}

/** Returns a function that tells the storage of ascending offsets. */
function storageAt(extents: readonly FileExtent[]): (offset: number) => string {
  let index = 0;
  return (offset) => {
    while (extents[index] && extents[index]!.offset + extents[index]!.length <= offset) index += 1;
    const extent = extents[index];
    if (extent === undefined || extent.offset > offset) return 'none';
    return `${extent.physical + offset - extent.offset} ${extent.isUnwritten}`;
  };
}

function joined(ranges: readonly BlockRange[], capacity: number): BlockRange[] {
  const result: { offset: number; length: number }[] = [];
  for (const { offset, length } of ranges) {
    const end = Math.min(offset + length, capacity);
    const last = result.at(-1);
    if (last && last.offset + last.length === offset) last.length = end - last.offset;
    else if (end > offset) result.push({ offset, length: end - offset });
  }
  return result;
}
