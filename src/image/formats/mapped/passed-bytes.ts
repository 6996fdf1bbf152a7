/** How many entries may be dropped before the list is shortened. */
const MOST_DROPPED = 1024;

/** Bytes of a file that a pass over it has gone past, in ascending order, for what a later table may map to them. */
export class PassedBytes {
  #offsets: number[] = [];
  #fragments: Buffer[] = [];
  /** Index of the first entry that was not dropped. */
  #first = 0;

  /**
   * Keeps a copy.
   *
   * @param offset in the file, not before the end of what was kept last
   */
  keep(offset: number, bytes: Buffer): void {
    this.#offsets.push(offset);
    this.#fragments.push(Buffer.from(bytes));
  }

  /** Drops what lies before an offset. */
  dropBefore(offset: number): void {
    while (this.#first < this.#offsets.length && this.#endOf(this.#first) <= offset) {
      this.#fragments[this.#first] = Buffer.alloc(0);
      this.#first += 1;
    }
    if (this.#first < MOST_DROPPED && this.#first < this.#offsets.length) return;
    this.#offsets = this.#offsets.slice(this.#first);
    this.#fragments = this.#fragments.slice(this.#first);
    this.#first = 0;
  }

  /** Returns what was kept from an offset on without a gap, up to `length` bytes; none where nothing was kept there. */
  from(offset: number, length: number): Buffer {
    const found: Buffer[] = [];
    let at = offset;
    for (let index = this.#indexOf(offset); at < offset + length && index < this.#offsets.length; index++) {
      const start = this.#offsets[index]!;
      if (start > at || this.#endOf(index) <= at) break;
      const bytes = this.#fragments[index]!.subarray(at - start, offset + length - start);
      found.push(bytes);
      at += bytes.length;
    }
    return found.length === 1 ? found[0]! : Buffer.concat(found);
  }

  #endOf(index: number): number {
    return this.#offsets[index]! + this.#fragments[index]!.length;
  }

  /** Index of the last entry that does not begin after an offset, or of the first one. */
  #indexOf(offset: number): number {
    let low = this.#first;
    for (let high = this.#offsets.length; high - low > 1;) {
      const middle = (low + high) >>> 1;
      if (this.#offsets[middle]! <= offset) low = middle;
      else high = middle;
    }
    return low;
  }
}
