import type { ByteStream } from './bytes.ts';

/** An object that has been opened from its first byte. */
export interface OpenedSource {
  bytes: ByteStream;
  /** Bytes in all, where known. */
  size: number | undefined;
  /** Bytes that will have been read to get them, where these are not the object's own. */
  transferSize?: number;
  /** Where it lies in what the source's location names, for people; undefined where it is that itself. */
  path?: string;
  /** The media type that the server gave. */
  mediaType: string | undefined;
  /** That the server says the bytes to be in, as it sends them (RFC 9110 section 8.4). */
  encoding?: string | undefined;
  /** Another one whenever the object is; undefined where that cannot be told. */
  version?: string | undefined;
  /**
   * The same object from another place on, where that is cheaper than reading up to there. `bytes`, or what was got
   * before, has to be closed first.
   */
  openAt?: (offset: number) => ByteStream;
}

/** Access to any part of an object. Reads of one object never mix two versions of it. */
export interface RangeReader {
  readonly size: number;
  /** Whether the object has a version by which a change in it is noticed. */
  readonly versioned?: boolean;
  /**
   * Exactly `length` bytes at `offset`.
   *
   * @param memory what they are read into, where they are not to be in memory of their own
   */
  read(offset: number, length: number, memory?: Buffer): Promise<Buffer>;
}

/** Where an image comes from. Passing failures are its own business: it retries and resumes while that is sensible. */
export interface Source {
  /** Where it is, for people: no credentials, no query. */
  readonly location: string;
  /** @param head how much of its start is going to be read, in bytes, where `openAt` is used after that */
  open(head?: number): Promise<OpenedSource>;
  /** Random access to the object, or undefined where the source has none. */
  openRanges(): Promise<RangeReader | undefined>;
  /** Labels for the target claim, known once the source has been opened. */
  readonly labels?: Record<string, string>;
  close(): Promise<void>;
}
