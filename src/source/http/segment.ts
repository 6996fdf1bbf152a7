/** A part of an object in memory that one connection fills, while the consumer takes available bytes from its start. */
export class Segment {
  /** Offset in the object. */
  readonly start: number;
  readonly end: number;
  readonly #memory: Buffer;
  #filled = 0;
  #taken = 0;

  /** @param memory that belongs to the segment until all of it was taken */
  constructor(start: number, end: number, memory: Buffer) {
    this.start = start;
    this.end = end;
    this.#memory = memory;
  }

  get memory(): Buffer {
    return this.#memory;
  }

  /** Offset in the object of the first missing byte. */
  get position(): number {
    return this.start + this.#filled;
  }

  get complete(): boolean {
    return this.position === this.end;
  }

  get exhausted(): boolean {
    return this.start + this.#taken === this.end;
  }

  /** @returns how many of the bytes were still missing */
  fill(bytes: Buffer): number {
    const copied = bytes.copy(this.#memory, this.#filled, 0, this.end - this.position);
    this.#filled += copied;
    return copied;
  }

  /** Takes what has arrived since the last call; empty where nothing has. */
  take(): Buffer {
    const bytes = this.#memory.subarray(this.#taken, this.#filled);
    this.#taken = this.#filled;
    return bytes;
  }
}
