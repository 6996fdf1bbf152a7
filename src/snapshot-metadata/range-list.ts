import { type BlockRange, endOf } from '../base/block-range.ts';

const START: BlockRange = { offset: 0, length: 0 };

interface OpenRange {
  offset: number;
  length: number;
}

/**
 * Collects ascending ranges in bounded memory: neighbours become one, and where there are too many, those with the
 * smallest gaps between them.
 */
export class RangeList {
  readonly #most: number;
  #ranges: OpenRange[] = [];

  /** @param most ranges that are kept in the end, at least 1; up to twice as many are kept meanwhile */
  constructor(most: number) {
    this.#most = most;
  }

  /** @param range that begins at or after the end of the last one */
  add({ offset, length }: BlockRange): void {
    const last = this.#ranges.at(-1);
    if (last && endOf(last) === offset) last.length += length;
    else this.#ranges.push({ offset, length });
    if (this.#ranges.length >= 2 * this.#most) this.#merge();
  }

  /** Ends the list. */
  finish(): BlockRange[] {
    if (this.#ranges.length > this.#most) this.#merge();
    return this.#ranges;
  }

  #merge(): void {
    const before = this.#ranges;
    const gaps = Float64Array.from(before.slice(1), ({ offset }, index) => offset - endOf(before[index] ?? START));
    const tooMany = before.length - this.#most;
    const largest = gaps.toSorted()[tooMany - 1] ?? 0;
    // Of the gaps of that length, only as many as needed.
    let ofLargest = tooMany - gaps.reduce((sum, gap) => sum + (gap < largest ? 1 : 0), 0);
    const merged: OpenRange[] = [];
    for (const [index, range] of before.entries()) {
      const last = merged.at(-1);
      const gap = gaps[index - 1] ?? Infinity;
      if (last && (gap < largest || (gap === largest && ofLargest-- > 0))) last.length = endOf(range) - last.offset;
      else merged.push(range);
    }
    this.#ranges = merged;
  }
}
