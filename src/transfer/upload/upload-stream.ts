import { randomUUID } from 'node:crypto';
import type { ByteStream } from '../../base/bytes.ts';
import type { Progress } from '../../base/progress.ts';
import { BLOCK_BYTES, ChainedHash } from '../../server/chained-hash.ts';

/** Bytes that are received ahead of the reader. */
const READ_AHEAD = 1024 * 1024;
/** Bytes from the start of the stream that are kept, for an image that has to be read again after its tables. */
const LONGEST_REWIND = 4 * 1024 * 1024;
/** Blocks whose digest is known, the latest ones: an import is not that far behind what is received. */
const MOST_BLOCKS = 1024;

/** A place in an image, and what identifies all bytes before it. */
export interface Place {
  /** Bytes from the start of the image. */
  readonly position: number;
  /** See {@link ChainedHash}. */
  readonly digest: string;
}

/** What is known of an image before its bytes come. */
export interface AnnouncedImage {
  /** Size of the image in bytes; undefined where the client does not know it. */
  size: number | undefined;
  /** Bytes that the client sends for it, where these differ from its size or the size is not known. */
  transferSize?: number | undefined;
  /** Content coding of the image (RFC 9110 section 8.4). */
  encoding?: string | undefined;
}

/**
 * The bytes of one image, in their order. Bytes are only ever appended, by any number of requests one after the other,
 * and read once by one reader.
 */
export class UploadStream {
  /** Tells this image from every other one. */
  readonly version: string;
  readonly #progress: Progress;
  readonly #announced = Promise.withResolvers<AnnouncedImage>();
  readonly #failed = Promise.withResolvers<never>();
  #hash = ChainedHash.create();
  /** Digests of everything up to the end of a block, by that position. */
  readonly #blocks = new Map<number, string>();
  #start = 0;
  /** All bytes since the start, as long as the reader can begin again. */
  #kept: Buffer[] | undefined = [];
  #queue: Buffer[] = [];
  #queued = 0;
  #received = 0;
  #image: AnnouncedImage | undefined;
  #hasEnded = false;
  #isDiscarded = false;
  readonly #taken = Promise.withResolvers<void>();
  #failure: { error: unknown } | undefined;
  #reader: object | undefined;
  #onChange: (() => void) | undefined;
  #onRoom: ((error?: Error) => void) | undefined;

  constructor(progress: Progress, version: string = randomUUID()) {
    this.#progress = progress;
    this.version = version;
    // Nobody has to be waiting when the stream fails.
    this.#announced.promise.catch(() => undefined);
    this.#failed.promise.catch(() => undefined);
  }

  /** Bytes that have been appended. */
  get received(): number {
    return this.#received;
  }

  /** Offset of the first byte that a reader gets; what comes before is known by its digest alone. */
  get start(): number {
    return this.#start;
  }

  /** The image, once a client has announced it. */
  get image(): AnnouncedImage | undefined {
    return this.#image;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether a reader has begun to read. */
  get isRead(): boolean {
    return this.#reader !== undefined;
  }

  /** Rejects with the failure of the stream. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Resolves when the image is complete, and the reader has taken all of it; may never do so where it fails. */
  get taken(): Promise<void> {
    return this.#taken.promise;
  }

  /** Digest of all appended bytes, see {@link ChainedHash}. */
  digest(): string {
    return this.#hash.digest();
  }

  /** The last end of a block before a position, as far as it is known. */
  lastBlockBefore(limit: number): Place | undefined {
    const position = Math.floor(limit / BLOCK_BYTES) * BLOCK_BYTES;
    const digest = this.#blocks.get(position);
    return digest === undefined ? undefined : { position, digest };
  }

  /** Begins after bytes that an earlier process has received, before anything is appended. */
  beginAfter({ position, digest }: Place): void {
    this.#hash = ChainedHash.after(position, digest);
    this.#blocks.set(position, digest);
    this.#start = position;
    this.#received = position;
    this.#kept = undefined;
  }

  announce(image: AnnouncedImage): void {
    this.#image ??= image;
    this.#announced.resolve(this.#image);
  }

  /**
   * Waits until a client announces the image.
   *
   * @throws what the stream fails with
   */
  async announced(): Promise<AnnouncedImage> {
    return this.#announced.promise;
  }

  /** Appends bytes, which must not change any more. Back-pressure is up to the caller, by `afterRoom`. */
  append(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#hash.update(bytes, (position, digest) => this.#endBlock(position, digest));
    this.#received += bytes.length;
    if (this.#isDiscarded) return;
    if (this.#received > LONGEST_REWIND) this.#kept = undefined;
    this.#kept?.push(bytes);
    this.#queue.push(bytes);
    this.#queued += bytes.length;
    this.#changed();
  }

  /** Calls back as soon as there is room for more bytes, or with the failure of the stream. */
  afterRoom(callback: (error?: Error) => void): void {
    if (this.#failure !== undefined) callback(this.#failure.error as Error);
    else if (this.#queued < READ_AHEAD) callback();
    else this.#onRoom = callback;
  }

  /** Declares the image complete. */
  end(): void {
    this.#hasEnded = true;
    this.#changed();
  }

  /** Declares that no reader needs any more bytes. */
  discard(): void {
    this.#isDiscarded = true;
    this.#kept = undefined;
    this.#queue = [];
    this.#queued = 0;
    this.#room();
  }

  /** Ends the stream with a failure, for its reader and for its writer. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#announced.reject(error);
    this.#failed.reject(error);
    this.#changed();
    this.#room(error as Error);
  }

  /**
   * Lets another reader begin at the first byte.
   *
   * @returns false where the first bytes are gone
   */
  rewind(): boolean {
    if (this.#kept === undefined) return false;
    this.#queue = [...this.#kept];
    this.#queued = this.#received;
    this.#reader = undefined;
    return true;
  }

  /** Reads the bytes as they come. An earlier reader gets none any more. */
  read(): ByteStream {
    const reader = {};
    this.#reader = reader;
    return this.#bytesFor(reader);
  }

  async *#bytesFor(reader: object): ByteStream {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error as Error;
      if (this.#reader !== reader) return;
      if (this.#queue.length > 0) {
        const bytes = this.#take();
        this.#progress.read(bytes.length);
        yield bytes;
      } else if (this.#hasEnded) {
        this.#taken.resolve();
        return;
      } else {
        this.#progress.awaiting();
        await new Promise<void>((resolve) => (this.#onChange = resolve));
      }
    }
  }

  #take(): Buffer {
    // Stages are free to reuse what they are lent, but not what is kept for another reader.
    const isKept = this.#kept !== undefined;
    const bytes = isKept ? Buffer.concat(this.#queue, this.#queued) : (this.#queue.shift() ?? Buffer.alloc(0));
    if (isKept) this.#queue = [];
    this.#queued -= bytes.length;
    this.#room();
    return bytes;
  }

  #endBlock(position: number, digest: string): void {
    this.#blocks.set(position, digest);
    if (this.#blocks.size <= MOST_BLOCKS) return;
    for (const oldest of this.#blocks.keys()) {
      this.#blocks.delete(oldest);
      return;
    }
  }

  #changed(): void {
    this.#onChange?.();
    this.#onChange = undefined;
  }

  #room(error?: Error): void {
    const callback = this.#onRoom;
    this.#onRoom = undefined;
    callback?.(error);
  }
}
