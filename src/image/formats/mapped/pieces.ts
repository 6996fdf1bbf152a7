/** The most that is read, or passed on, as one piece of plain data, in bytes. */
export const LARGEST_PIECE = 1024 * 1024;

/** Places in the file of an image and on its disk, in the order of the file. Read once, from first to last. */
export class PieceRun {
  readonly #hosts: Float64Array;
  readonly #guests: Float64Array;
  readonly #lengths: Int32Array;
  #at = 0;

  /** @param lengths negative for pieces that can only be used as a whole */
  constructor(hosts: Float64Array, guests: Float64Array, lengths: Int32Array) {
    this.#hosts = hosts;
    this.#guests = guests;
    this.#lengths = lengths;
  }

  /** The initial number of pieces. */
  get size(): number {
    return this.#hosts.length;
  }

  /** Offset in the file; Infinity after the last piece. */
  get host(): number {
    return this.#hosts[this.#at] ?? Infinity;
  }

  /** Offset on the disk. */
  get guest(): number {
    return this.#guests[this.#at] ?? 0;
  }

  /** Bytes of the piece in the file; for compressed data an upper bound. */
  get length(): number {
    return Math.abs(this.#lengths[this.#at] ?? 0);
  }

  /** Whether the piece can only be used as a whole: compressed data, or a table. */
  get isWhole(): boolean {
    return (this.#lengths[this.#at] ?? 0) < 0;
  }

  /** Moves to the next piece; returns false after the last one. */
  advance(): boolean {
    this.#at += 1;
    return this.#at < this.#hosts.length;
  }

  /** Returns the same pieces, starting from the first. */
  copy(): PieceRun {
    return new PieceRun(this.#hosts, this.#guests, this.#lengths);
  }
}

const FIRST_CAPACITY = 64;

/** Collects pieces in any order. Plain ones that are contiguous both in the file and on the disk are merged. */
export class RunBuilder {
  #hosts = new Float64Array(FIRST_CAPACITY);
  #guests = new Float64Array(FIRST_CAPACITY);
  #lengths = new Int32Array(FIRST_CAPACITY);
  #count = 0;
  #isSorted = true;

  addPlain(host: number, guest: number, length: number): void {
    for (let done = 0; done < length; done += LARGEST_PIECE) {
      this.#addOne(host + done, guest + done, Math.min(LARGEST_PIECE, length - done));
    }
  }

  /** Adds a piece that is never merged. */
  addWhole(host: number, guest: number, length: number): void {
    this.#push(host, guest, -length);
  }

  finish(): PieceRun {
    if (!this.#isSorted) return this.#sorted().finish();
    const count = this.#count;
    return new PieceRun(this.#hosts.slice(0, count), this.#guests.slice(0, count), this.#lengths.slice(0, count));
  }

  #addOne(host: number, guest: number, length: number): void {
    const last = this.#count - 1;
    const before = this.#lengths[last] ?? 0;
    const follows = before > 0 && this.#hosts[last] === host - before && this.#guests[last] === guest - before;
    if (follows && before + length <= LARGEST_PIECE) this.#lengths[last] = before + length;
    else this.#push(host, guest, length);
  }

  #push(host: number, guest: number, length: number): void {
    const at = this.#count;
    if (at === this.#hosts.length) this.#grow();
    if (at > 0 && host < (this.#hosts[at - 1] ?? 0)) this.#isSorted = false;
    this.#hosts[at] = host;
    this.#guests[at] = guest;
    this.#lengths[at] = length;
    this.#count += 1;
  }

  #grow(): void {
    const capacity = this.#count * 2;
    const [hosts, guests, lengths] = [this.#hosts, this.#guests, this.#lengths];
    this.#hosts = new Float64Array(capacity);
    this.#guests = new Float64Array(capacity);
    this.#lengths = new Int32Array(capacity);
    this.#hosts.set(hosts);
    this.#guests.set(guests);
    this.#lengths.set(lengths);
  }

  #sorted(): RunBuilder {
    const hosts = this.#hosts;
    const order = new Uint32Array(this.#count).map((_, index) => index);
    order.sort((a, b) => (hosts[a] ?? 0) - (hosts[b] ?? 0));
    const sorted = new RunBuilder();
    for (const index of order) {
      const [host, guest, length] = [hosts[index] ?? 0, this.#guests[index] ?? 0, this.#lengths[index] ?? 0];
      if (length > 0) sorted.#addOne(host, guest, length);
      else sorted.#push(host, guest, length);
    }
    return sorted;
  }
}
