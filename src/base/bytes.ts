/**
 * The stream of bytes that each stage passes on. It is pulled, so that a slow consumer slows down its producer.
 * Each chunk is lent to the consumer until it asks for the next one; data that is needed longer has to be copied.
 * Leaving the loop early (or calling `return`) closes every stage upstream.
 */
export type ByteStream = AsyncGenerator<Buffer, void, void>;

/** Closes a stream that has no reader any more, and ignores how it ends. */
export function abandonStream(stream: ByteStream): void {
  stream.return().catch(() => {});
}

/** A stream of known length that can be opened at any offset. */
export interface SeekableStream {
  size: number;
  openAt(offset: number): ByteStream;
}

/** Part of a stream, with its position. */
export interface Piece {
  /** Offset in bytes from the start of the stream. */
  offset: number;
  /** The bytes, which are lent until the next piece is requested. */
  data: Buffer;
  /** Once this piece has been passed on, everything before this offset has been. */
  complete: number;
}

/**
 * Pieces in any order, without overlaps. Ranges that no piece covers are zeros. The last piece, which may be empty,
 * ends at the end of the stream.
 */
export type PieceStream = AsyncGenerator<Piece, void, void>;

/**
 * Reopening a stream at another offset costs a round trip and discards what is in flight, so shorter distances are
 * read.
 */
const SHORTEST_SEEK = 2 * 1024 * 1024;

const empty = Buffer.alloc(0);
const STORAGE_SLACK = 128 * 1024;

/** Reads a {@link ByteStream} sequentially in requested lengths, with lookahead. */
export class ByteReader {
  #input: ByteStream;
  readonly #seekable: SeekableStream | undefined;
  readonly #scatter: (() => PieceStream) | undefined;
  /** Received but unconsumed bytes: a view of the lent chunk, or of #storage. */
  #window: Buffer = empty;
  #storage: Buffer = empty;
  #windowIsLent = false;
  #ended = false;
  #position: number;

  /**
   * @param seekable the same stream, for skipping long distances without reading them
   * @param scatter continues after the bytes that were read so far, where the pieces can be delivered in any order
   * @param position offset of the first byte that the input has
   */
  constructor(input: ByteStream, seekable?: SeekableStream, scatter?: () => PieceStream, position = 0) {
    this.#position = position;
    this.#input = input;
    this.#seekable = seekable;
    this.#scatter = scatter;
  }

  /** Offset of the next byte from the start of the stream. */
  get position(): number {
    return this.#position;
  }

  /**
   * Returns the next `length` bytes without consuming them; fewer only at the end of the stream. Valid until the next
   * call.
   */
  async peek(length: number): Promise<Buffer> {
    while (this.#window.length < length && (await this.#receive(length)));
    return this.#window.subarray(0, length);
  }

  /**
   * Consumes everything before `offset`, an offset from the start of the stream, and returns the `length` bytes there.
   * Returns undefined where this would have to wait, or the offset has been passed. Valid until the next call.
   */
  peekReceived(offset: number, length: number): Buffer | undefined {
    const distance = offset - this.#position;
    if (distance < 0 || this.#window.length < distance + length) return undefined;
    this.#consume(distance);
    return this.#window.subarray(0, length);
  }

  /**
   * Returns up to `length` bytes without consuming them, as many as are available at once; none at the end. Valid until
   * the next call.
   */
  async peekSome(length: number): Promise<Buffer> {
    if (this.#window.length === 0) await this.#receive(1);
    return this.#window.subarray(0, length);
  }

  /** Consumes and returns the next `length` bytes; fewer only at the end of the stream. Valid until the next call. */
  async take(length: number): Promise<Buffer> {
    const bytes = await this.peek(length);
    this.#consume(bytes.length);
    return bytes;
  }

  /** Consumes and returns up to `length` bytes, as many as are available at once; none at the end of the stream. */
  async takeSome(length: number): Promise<Buffer> {
    const bytes = await this.peekSome(length);
    this.#consume(bytes.length);
    return bytes;
  }

  /** Yields the next `length` bytes in chunks of any size; fewer only at the end of the stream. */
  async *some(length: number): ByteStream {
    for (let left = length; left > 0;) {
      const bytes = await this.takeSome(left);
      if (bytes.length === 0) return;
      left -= bytes.length;
      yield bytes;
    }
  }

  /**
   * Skips `length` bytes and returns how many there were.
   *
   * @param pause is awaited between chunks
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

  /** Yields the rest of the stream in chunks of any size. */
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

  /** Yields the rest of the stream in pieces of any order. */
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

  /** Appends the next chunk to the window; returns false at the end of the stream. */
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

  /** Moves the window to the start of storage that the reader owns. */
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
