/**
 * Memory that is used again, and is never more than a limit. It is counted where it is made, so that nobody who uses it can take
 * more than there is.
 */
export class MemoryPool {
  readonly limit: number;
  readonly #unit: number;
  readonly #spare: ArrayBuffer[] = [];
  #size = 0;
  #most = 0;
  #isClosed = false;

  /**
   * @param limit bytes that are there at once, spare ones included
   * @param unit bytes that the length of each piece is a multiple of: spare pieces fit more often where most are alike
   */
  constructor(limit: number, unit: number) {
    this.limit = limit;
    this.#unit = unit;
  }

  /** Bytes that have been made and not been freed, whoever has them. */
  get size(): number {
    return this.#size;
  }

  /** The most that {@link size} ever was. */
  get most(): number {
    return this.#most;
  }

  /** Bytes that can be taken. */
  get available(): number {
    return this.#spare.reduce((sum, { byteLength }) => sum + byteLength, this.limit - this.#size);
  }

  /**
   * A piece of at least `length` bytes, whatever is in them; undefined until enough is given back.
   *
   * @throws RangeError where the limit is lower than that
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

  /** @param memory that was taken, or what it has become on its way to another thread and back; its user has no view of it left */
  giveBack(memory: ArrayBuffer): void {
    if (this.#isClosed) this.#free(memory);
    else this.#spare.push(memory);
  }

  /**
   * Frees what is spare, and from now on what is given back. Not for memory that is lent as a stream's chunks: a program or a compressor that is left
   * in the middle of one may read from it for a while.
   */
  close(): void {
    this.#isClosed = true;
    for (const memory of this.#spare.splice(0)) this.#free(memory);
  }

  /** At once: a collector that sees small objects only would wait until there are many. */
  #free(memory: ArrayBuffer): void {
    this.#size -= memory.byteLength;
    memory.transfer(0);
  }
}
