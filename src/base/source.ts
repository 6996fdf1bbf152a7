import type { ByteStream } from './bytes.ts';

/** An object that has been opened at its first byte. */
export interface OpenedSource {
  bytes: ByteStream;
  /**
   * Offset in bytes at which `bytes` begins, where it is not 0: an earlier process has imported what comes before, and
   * its checkpoint is to be resumed from.
   */
  startsAt?: number;
  /** Total size in bytes, where known. */
  size: number | undefined;
  /** Bytes that have to be read for them, where these differ from the size of the object. */
  transferSize?: number;
  /**
   * Path of the object within the source's location, for people; undefined where the location names the object itself.
   */
  path?: string;
  /** The media type that the server reported. */
  mediaType: string | undefined;
  /** The content coding that the server reported for the bytes as it sends them (RFC 9110 section 8.4). */
  encoding?: string | undefined;
  /** A version that differs whenever the object does; undefined where changes cannot be detected. */
  version?: string | undefined;
  /**
   * Opens the same object at another offset, where that is cheaper than reading up to it. `bytes`, or the stream that
   * was opened before, has to be closed first.
   */
  openAt?: (offset: number) => ByteStream;
}

/** Random access to an object. Reads never mix two versions of it. */
export interface RangeReader {
  readonly size: number;
  /** Whether the object has a version by which a change is detected. */
  readonly versioned?: boolean;
  /**
   * Reads exactly `length` bytes at `offset`.
   *
   * @param memory the buffer to read into; by default a new one
   */
  read(offset: number, length: number, memory?: Buffer): Promise<Buffer>;
}

/**
 * Where an image comes from. A source handles passing failures itself: it retries and resumes as long as that is
 * sensible.
 */
export interface Source {
  /** The location for people, without credentials and query. */
  readonly location: string;
  /**
   * Opens the object.
   *
   * @param head how many bytes of its start are going to be read, where `openAt` is used after that
   */
  open(head?: number): Promise<OpenedSource>;
  /** Opens the object for random access; resolves to undefined where the source does not support it. */
  openRanges(): Promise<RangeReader | undefined>;
  /** Labels for the target claim, known once the source has been opened. */
  readonly labels?: Record<string, string>;
  close(): Promise<void>;
}
