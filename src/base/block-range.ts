/** Part of a disk or volume. */
export interface BlockRange {
  /** Offset in bytes from the start of the disk. */
  readonly offset: number;
  /** Length in bytes, more than 0. */
  readonly length: number;
}

/** The first offset after a range, in bytes. */
export function endOf({ offset, length }: BlockRange): number {
  return offset + length;
}

/** How many bytes ranges have together. */
export function bytesIn(ranges: readonly BlockRange[]): number {
  return ranges.reduce((sum, { length }) => sum + length, 0);
}

/** Yields what ranges leave out of a disk: ascending, as the ranges have to be. */
export function* gapsBetween(ranges: readonly BlockRange[], size: number): Generator<BlockRange> {
  let at = 0;
  for (const range of ranges) {
    if (range.offset > at) yield { offset: at, length: range.offset - at };
    at = endOf(range);
  }
  if (at < size) yield { offset: at, length: size - at };
}
