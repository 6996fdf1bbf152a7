import type { Extent } from '../base/extents.ts';

/** The outcome of writing a target. */
export interface WrittenTarget {
  /** Final size of the disk in bytes. */
  size: number;
  preallocated: boolean;
}

/** The target of one disk at a time: begin, write…, finish; or abandon. */
export interface Sink {
  /** The path of the target, for messages. */
  readonly path: string;
  /**
   * Makes the target read as zeros and ready for a disk. May be called again to start over.
   *
   * @param virtualSize the size of the disk in bytes, where it is known beforehand
   * @throws TransferError ImageTooLarge, NoSpace, TargetNotWritable
   */
  begin(virtualSize: number | undefined): Promise<void>;
  /** Whether ranges that are not written read as zeros; otherwise `finish` zeroes them. Valid after `begin`. */
  readonly readsAsZeros: boolean;
  /** Writes an extent. Its data may be reused once this returns, unless the sink has asked to keep it. */
  write(extent: Extent): Promise<void>;
  /** Makes everything durable and gives the disk its final size. */
  finish(virtualSize: number): Promise<WrittenTarget>;
  /** Removes or invalidates whatever could be taken for a disk. */
  abandon(): Promise<void>;
}
