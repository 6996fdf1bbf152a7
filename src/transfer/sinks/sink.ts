import type { Extent } from '../extents.ts';

/** What became of a target. */
export interface WrittenTarget {
  /** Size of the disk as it was left, in bytes. */
  size: number;
  preallocated: boolean;
}

/** Where a disk is written to. One disk at a time: begin, write…, finish; or abandon. */
export interface Sink {
  /** For messages: the path that is written. */
  readonly path: string;
  /** The name of qemu's driver that can write to `path`. */
  readonly qemuDriver: 'file' | 'host_device';
  /**
   * Makes the target read as zeros and ready for a disk. May be called again to begin anew.
   *
   * @param virtualSize the disk's size in bytes, where it is known beforehand
   * @throws TransferError ImageTooLarge, NoSpace, TargetNotWritable
   */
  begin(virtualSize: number | undefined): Promise<void>;
  /** Whether whatever is not written reads as zeros; otherwise `finish` sees to it. Valid after `begin`. */
  readonly readsAsZeros: boolean;
  /** The extent's data may be reused once this returns. */
  write(extent: Extent): Promise<void>;
  /** Says that another program has written the disk from its start to `end`, zeros included. */
  wroteUpTo(end: number): void;
  /** Makes everything durable and gives the disk its final size. */
  finish(virtualSize: number): Promise<WrittenTarget>;
  /** Leaves nothing behind that could be taken for a disk. */
  abandon(): Promise<void>;
  /** Makes durable what was written until now; returns the bytes of storage that the target takes, where it can tell. */
  syncSoFar(): Promise<number | undefined>;
}
