import type { Extent } from '../base/extents.ts';

/** The outcome of writing a target. */
export interface WrittenTarget {
  /** Final size of the disk in bytes. */
  size: number;
  preallocated: boolean;
}

/** What another process has to know to resume a half-written disk. It survives a round trip through JSON. */
export interface UnfinishedTarget {
  /** Identifies the target, should another one be in its place later. */
  identity: string;
  /** Ranges that have been written, as [start, end); undefined where the rest of the target reads as zeros. */
  written?: [start: number, end: number][] | undefined;
}

/** The target of one disk at a time: begin, write…, finish; or abandon. */
export interface Sink {
  /** The path of the target, for messages. */
  readonly path: string;
  /** The descriptor of the target, for other programs to write to. Valid from `begin` or `resume` on. */
  readonly descriptor: number;
  /** The name of the QEMU driver that can write to it. */
  readonly qemuDriver: 'file' | 'host_device';
  /**
   * Makes the target read as zeros and ready for a disk. May be called again to start over.
   *
   * @param virtualSize the size of the disk in bytes, where it is known beforehand
   * @throws TransferError ImageTooLarge, NoSpace, TargetNotWritable
   */
  begin(virtualSize: number | undefined): Promise<void>;
  /**
   * Resumes a disk that another process has begun, in place of `begin`.
   *
   * @returns false where the target is another one, or has changed since
   */
  resume(unfinished: UnfinishedTarget, virtualSize: number | undefined): Promise<boolean>;
  /** Whether ranges that are not written read as zeros; otherwise `finish` zeroes them. Valid after `begin`. */
  readonly readsAsZeros: boolean;
  /** Writes an extent. Its data may be reused once this returns. */
  write(extent: Extent): Promise<void>;
  /** Reports that another program has written the disk from its start to `end`, zeros included. */
  wroteUpTo(end: number): void;
  /**
   * Makes everything durable that was written before the call. Writing may continue meanwhile.
   *
   * @returns undefined where too much would have to be remembered to resume from here
   */
  checkpoint(): Promise<UnfinishedTarget | undefined>;
  /** Reads from a target that was begun or resumed; returns fewer bytes at its end. */
  read(offset: number, length: number): Promise<Buffer>;
  /** Makes everything durable and gives the disk its final size. */
  finish(virtualSize: number): Promise<WrittenTarget>;
  /** Leaves the unfinished disk as it is, for another process to resume. */
  suspend(): Promise<void>;
  /** Removes or invalidates whatever could be taken for a disk. */
  abandon(): Promise<void>;
  /**
   * Makes everything durable that was written before the call; returns the bytes of storage that the target occupies,
   * where it can tell.
   */
  syncSoFar(): Promise<number | undefined>;
}
