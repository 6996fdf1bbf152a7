/** Memory is taken in blocks of so many bytes, for what may come in very small parts. */
const BLOCK = 64 * 1024;
/** How many entries may be dropped before the list is shortened. */
const MOST_DROPPED = 1024;

const nothing = Buffer.alloc(0);

/** Bytes of a file that a pass over it has gone past, in ascending order, for what a later table may map to them. */
export class PassedBytes {
  #offsets: number[] = [];
  /** Views of blocks. */
  #fragments: Buffer[] = [];
  /** Index of the first entry that was not dropped. */
  #first = 0;
  #block = nothing;
  /** Bytes of the block that are in use. */
  #used = 0;

  /**
   * Keeps a copy.
   *
   * @param offset in the file, not before the end of what was kept last
   */
  keep(offset: number, bytes: Buffer): void {
    for (let done = 0; done < bytes.length;) {
      if (this.#used === this.#block.length) {
        this.#block = Buffer.allocUnsafeSlow(BLOCK);
        this.#used = 0;
      }
      const length = bytes.copy(this.#block, this.#used, done);
      this.#add(offset + done, length);
      done += length;
    }
  }

  /** Drops what lies before an offset. */
  dropBefore(offset: number): void {
    while (this.#first < this.#offsets.length && this.#endOf(this.#first) <= offset) {
      this.#fragments[this.#first] = nothing;
      this.#first += 1;
    }
    if (this.#first < MOST_DROPPED) return;
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

  /** Adds what was copied to the end of the block, to the last entry where it follows that in the file, too. */
  #add(offset: number, length: number): void {
    const start = this.#used;
    this.#used += length;
    const last = this.#offsets.length - 1;
    // The last entry ends where the block was used up to, unless a new one was begun.
    if (start > 0 && last >= this.#first && this.#endOf(last) === offset) {
      this.#fragments[last] = this.#block.subarray(start - this.#fragments[last]!.length, this.#used);
    } else {
      this.#offsets.push(offset);
      this.#fragments.push(this.#block.subarray(start, this.#used));
    }
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
