/** Part of a disk, and what is known of its content before it is read. */
export interface DiskRange {
  /** Offset in bytes from the start of the disk. */
  readonly offset: number;
  /** Length in bytes, more than 0. */
  readonly length: number;
  /** `unchanged` occurs only in a stage of a multi-stage import: the content is that of the snapshot before it. */
  readonly content: 'data' | 'zeros' | 'unchanged';
}

/**
 * A disk that another system serves in ranges, such as an image transfer of oVirt or a virtual disk of VMware. It
 * handles passing failures itself: it retries, and logs in again, as long as that is sensible. The bytes that are read
 * are counted by who reads them.
 */
export interface DiskSource {
  /** The location for people, without credentials. */
  readonly location: string;
  /** Identifies the content: an import is resumed only where it is the same. */
  readonly version: string;
  /**
   * All names by which the next stage of an import may call the snapshot that this disk is: its id, or a change id.
   * Missing where the source does not know them; then a stage is believed that the target holds what it begins with.
   */
  readonly snapshotNames?: readonly string[] | undefined;
  /** Size of the disk in bytes, as its virtual machine sees it. */
  readonly size: number;
  /** Number of reads that may be in progress at the same time, at least 1. */
  readonly concurrency: number;
  /** Largest length of one read in bytes. */
  readonly largestRead: number;
  /**
   * Bytes that should be read one after another, as they come by one request; may change. Missing where all reads are
   * alike.
   */
  readonly runLength?: number;
  /**
   * Yields the ranges of the disk from an offset to its end: ascending, without gaps or overlaps. Called twice: first
   * for how much data there is, and then for reading.
   *
   * @throws TransferError
   */
  ranges(from: number): AsyncIterable<DiskRange>;
  /**
   * Reads bytes of a range with data, filling the buffer.
   *
   * @param runEnd the offset up to which further reads follow, each where and when the one before it has ended
   * @throws TransferError
   */
  read(offset: number, into: Buffer, runEnd: number): Promise<void>;
  /**
   * Ends everything that was opened at the other system, and reads that are still in progress.
   *
   * @param outcome `complete` where everything has been read and is durable; otherwise `incomplete`
   */
  close(outcome: 'complete' | 'incomplete'): Promise<void>;
}
