/**
 * A stream of bytes as every stage passes it on: pulled, so that a slow consumer slows the producer.
 * Each chunk is lent to the consumer until it asks for the next one; what it keeps longer it must copy.
 * Leaving the loop early (or calling `return`) closes the whole chain of stages behind it.
 */
export type ByteStream = AsyncGenerator<Buffer, void, void>;

/** Closes a stream whose reader has gone; how that ends is nobody's business any more. */
export function abandonStream(stream: ByteStream): void {
  stream.return().catch(() => {});
}

/** A stream of known length that can be opened at any place. */
export interface SeekableStream {
  size: number;
  openAt(offset: number): ByteStream;
}

/** A part of a stream at its place. */
export interface Piece {
  /** In bytes, from the stream's start. */
  offset: number;
  /** Lent until the next piece is asked for. */
  data: Buffer;
  /** With the pieces until now, all before this offset has been passed on. */
  complete: number;
}

/** In any order, without overlaps. What none of them covers is zeros; the last one, which may be empty, ends where the stream does. */
export type PieceStream = AsyncGenerator<Piece, void, void>;

/** Opening a stream elsewhere costs a round trip, and what was under way: shorter distances are read. */
const SHORTEST_SEEK = 2 * 1024 * 1024;

const empty = Buffer.alloc(0);
const STORAGE_SLACK = 128 * 1024;

/** Reads a {@link ByteStream} forwards by counts of bytes, with a look ahead. */
export class ByteReader {
  #input: ByteStream;
  readonly #seekable: SeekableStream | undefined;
  readonly #scatter: (() => PieceStream) | undefined;
  /** What has been received and not consumed: a view of the lent chunk, or of #storage. */
  #window: Buffer = empty;
  #storage: Buffer = empty;
  #windowIsLent = false;
  #ended = false;
  #position = 0;

  /**
   * @param seekable the same stream, where long distances can be passed over without reading them
   * @param scatter goes on behind what has been read of the stream, where its pieces can come in any order
   */
  constructor(input: ByteStream, seekable?: SeekableStream, scatter?: () => PieceStream) {
    this.#input = input;
    this.#seekable = seekable;
    this.#scatter = scatter;
  }

  /** Offset of the next byte, from the stream's start. */
  get position(): number {
    return this.#position;
  }

  /** The next `length` bytes without consuming them; fewer only at the end of the stream. Valid until the next call. */
  async peek(length: number): Promise<Buffer> {
    while (this.#window.length < length && (await this.#receive(length)));
    return this.#window.subarray(0, length);
  }

  /**
   * The `length` bytes at an offset from the stream's start, once all before them is consumed, which it is; undefined where that would
   * take waiting, or lies behind. Valid until the next call.
   */
  peekReceived(offset: number, length: number): Buffer | undefined {
    const distance = offset - this.#position;
    if (distance < 0 || this.#window.length < distance + length) return undefined;
    this.#consume(distance);
    return this.#window.subarray(0, length);
  }

  /** Up to `length` bytes without consuming them, as many as are there at once; none at the end. Valid until the next call. */
  async peekSome(length: number): Promise<Buffer> {
    if (this.#window.length === 0) await this.#receive(1);
    return this.#window.subarray(0, length);
  }

  /** Consumes the next `length` bytes; fewer only at the end of the stream. Valid until the next call. */
  async take(length: number): Promise<Buffer> {
    const bytes = await this.peek(length);
    this.#consume(bytes.length);
    return bytes;
  }

  /** Consumes up to `length` bytes, as many as are there at once; none at the end of the stream. */
  async takeSome(length: number): Promise<Buffer> {
    const bytes = await this.peekSome(length);
    this.#consume(bytes.length);
    return bytes;
  }

  /** The next `length` bytes, in whatever chunks they come; fewer only at the end of the stream. */
  async *some(length: number): ByteStream {
    for (let left = length; left > 0;) {
      const bytes = await this.takeSome(left);
      if (bytes.length === 0) return;
      left -= bytes.length;
      yield bytes;
    }
  }

  /**
   * Passes over `length` bytes; returns how many there were.
   *
   * @param pause is waited for between one chunk and the next
   */
  async skip(length: number, pause?: () => Promise<void>): Promise<number> {
    if (await this.#seek(length)) return length;
    let skipped = 0;
    while (skipped < length) {
      if (this.#window.length === 0 && !(await this.#receive(1))) break;
      const step = Math.min(length - skipped, this.#window.length);
      this.#consume(step);
      skipped += step;
      await pause?.();
    }
    return skipped;
  }

  /** The rest of the stream, in whatever chunks it comes. */
  async *rest(): ByteStream {
    try {
      while (this.#window.length > 0 || (await this.#receive(1))) {
        const chunk = this.#window;
        this.#consume(chunk.length);
        yield chunk;
      }
    } finally {
      await this.close();
    }
  }

  /** The rest of the stream, in whatever order its pieces come. */
  async *pieces(): PieceStream {
    await this.peekSome(1);
    if (this.#scatter !== undefined && !this.#ended) {
      const data = this.#window;
      const offset = this.#position;
      this.#consume(data.length);
      yield { offset, data, complete: this.#position };
      yield* this.#scatter();
      return;
    }
    for (let offset = this.#position; ; offset = this.#position) {
      const data = await this.takeSome(Infinity);
      yield { offset, data, complete: this.#position };
      if (data.length === 0) return;
    }
  }

  /** Reads to the end and returns how many bytes were left. */
  async drain(): Promise<number> {
    return this.skip(Number.MAX_SAFE_INTEGER);
  }

  async close(): Promise<void> {
    this.#window = empty;
    this.#ended = true;
    await this.#input.return();
  }

  async #seek(length: number): Promise<boolean> {
    const seekable = this.#seekable;
    if (seekable === undefined || length - this.#window.length < SHORTEST_SEEK) return false;
    if (this.#position + length > seekable.size) return false;
    await this.#input.return();
    this.#window = empty;
    this.#position += length;
    this.#input = seekable.openAt(this.#position);
    return true;
  }

  /** Adds the next chunk to the window; false at the end of the stream. */
  async #receive(expected: number): Promise<boolean> {
    if (this.#ended) return false;
    if (this.#window.length === 0) this.#window = empty;
    else if (this.#windowIsLent) this.#store(expected);
    for (;;) {
      const result = await this.#input.next();
      if (result.done === true) {
        this.#ended = true;
        return false;
      }
      const chunk = result.value;
      if (chunk.length === 0) continue;
      if (this.#window.length === 0) {
        this.#window = chunk;
        this.#windowIsLent = true;
      } else {
        this.#append(chunk, expected);
      }
      return true;
    }
  }

  /** Moves the window to the start of storage of our own. */
  #store(capacity: number): void {
    const window = this.#window;
    const wanted = Math.max(capacity, window.length) + STORAGE_SLACK;
    const storage = this.#storage.length >= wanted ? this.#storage : Buffer.allocUnsafeSlow(wanted);
    window.copy(storage);
    this.#storage = storage;
    this.#window = storage.subarray(0, window.length);
    this.#windowIsLent = false;
  }

  #append(chunk: Buffer, expected: number): void {
    const length = this.#window.length + chunk.length;
    if (this.#window.byteOffset - this.#storage.byteOffset + length > this.#storage.length) {
      this.#store(Math.max(expected, length));
    }
    const start = this.#window.byteOffset - this.#storage.byteOffset;
    chunk.copy(this.#storage, start + this.#window.length);
    this.#window = this.#storage.subarray(start, start + length);
  }

  #consume(length: number): void {
    this.#window = this.#window.subarray(length);
    this.#position += length;
  }
}
