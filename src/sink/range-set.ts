export interface Range {
  start: number;
  /** The first offset after the range. */
  end: number;
}

/** A set of offsets, kept as sorted ranges. */
export class RangeSet {
  #ranges: Range[] = [];

  add(start: number, end: number): void {
    if (start >= end) return;
    const first = this.#firstEndingAt(start);
    let last = first;
    let from = start;
    let to = end;
    for (let next = this.#ranges[last]; next !== undefined && next.start <= end; next = this.#ranges[last]) {
      from = Math.min(from, next.start);
      to = Math.max(to, next.end);
      last += 1;
    }
    this.#ranges.splice(first, last - first, { start: from, end: to });
  }

  get ranges(): readonly Range[] {
    return this.#ranges;
  }

  clear(): void {
    this.#ranges = [];
  }

  /** Yields the ranges of [0, size) that are not in the set. */
  *gaps(size: number): Generator<Range> {
    let at = 0;
    for (const range of this.#ranges) {
      if (range.start >= size) break;
      if (range.start > at) yield { start: at, end: range.start };
      at = range.end;
    }
    if (at < size) yield { start: at, end: size };
  }

  /** Returns the index of the first range that ends at or after `offset`. */
  #firstEndingAt(offset: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle]?.end ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
