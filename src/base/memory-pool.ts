/**
 * Reusable memory with a limit. It is counted where it is allocated, so that its users cannot exceed the limit
 * together.
 */
export class MemoryPool {
  readonly limit: number;
  readonly #unit: number;
  readonly #spare: ArrayBuffer[] = [];
  readonly #lent = new Set<Promise<void>>();
  #size = 0;
  #most = 0;
  #isClosed = false;

  /**
   * @param limit bytes that may exist at once, including spare pieces
   * @param unit bytes; the length of each piece is a multiple of it, so that spare pieces fit more often
   */
  constructor(limit: number, unit: number) {
    this.limit = limit;
    this.#unit = unit;
  }

  /** Bytes that are allocated, whether in use or spare. */
  get size(): number {
    return this.#size;
  }

  /** The highest {@link size} so far. */
  get most(): number {
    return this.#most;
  }

  /** Bytes that can be taken. */
  get available(): number {
    return this.#spare.reduce((sum, { byteLength }) => sum + byteLength, this.limit - this.#size);
  }

  /**
   * Returns a piece of at least `length` bytes with arbitrary content, or undefined until enough is given back.
   *
   * @throws RangeError where `length` exceeds the limit
   */
  take(length = this.#unit): ArrayBuffer | undefined {
    const wanted = Math.max(1, Math.ceil(length / this.#unit)) * this.#unit;
    if (wanted > this.limit)
      throw new RangeError(`${wanted} bytes are wanted of memory that is limited to ${this.limit}`);
    for (let spare = this.#spare.pop(); spare !== undefined; spare = this.#spare.pop()) {
      if (spare.byteLength >= length) return spare;
      this.#free(spare);
    }
    if (this.#size + wanted > this.limit) return undefined;
    this.#size += wanted;
    this.#most = Math.max(this.#most, this.#size);
    return new ArrayBuffer(wanted);
  }

  /**
   * @param memory that was taken, or its successor after a transfer to another thread and back; its user must not have
   * a view of it any more
   */
  giveBack(memory: ArrayBuffer): void {
    if (this.#isClosed) this.#free(memory);
    else this.#spare.push(memory);
  }

  /** Gives memory back as {@link giveBack} does, once all of its uses have settled. */
  giveBackAfter(memory: ArrayBuffer, uses: readonly Promise<unknown>[]): void {
    if (uses.length === 0) {
      this.giveBack(memory);
      return;
    }
    const over = Promise.allSettled(uses).then(() => {
      this.#lent.delete(over);
      this.giveBack(memory);
    });
    this.#lent.add(over);
  }

  /** Waits until some of the memory is given back whose uses have to settle first; for ever where there is none. */
  async untilGivenBack(): Promise<void> {
    await Promise.race(this.#lent);
  }

  /**
   * Frees spare memory, and from now on memory that is given back. Not for memory that is lent as chunks of a stream: a
   * program or a compressor that was abandoned in the middle of a chunk may read from it for a while.
   */
  close(): void {
    this.#isClosed = true;
    for (const memory of this.#spare.splice(0)) this.#free(memory);
  }

  /** Frees memory immediately. A garbage collector sees only small objects, and would wait for many of them. */
  #free(memory: ArrayBuffer): void {
    this.#size -= memory.byteLength;
    memory.transfer(0);
  }
}
