import type { Extent } from '../base/extents.ts';

/** What became of a target. */
export interface WrittenTarget {
  /** Size of the disk as it was left, in bytes. */
  size: number;
  preallocated: boolean;
}

/** What another process has to know of a disk that is only half written, to go on with it. As JSON it stays the same. */
export interface UnfinishedTarget {
  /** Tells the target from another one that is in its place by now. */
  identity: string;
  /** Where data has been written, as [start, end); undefined where the rest of the target reads as zeros. */
  written?: [start: number, end: number][] | undefined;
}

/** Where a disk is written to. One disk at a time: begin, write…, finish; or abandon. */
export interface Sink {
  /** For messages: the path that is written. */
  readonly path: string;
  /** What is open of it, for other programs to write to. Valid from `begin` or `resume` on. */
  readonly descriptor: number;
  /** The name of qemu's driver that can write to it. */
  readonly qemuDriver: 'file' | 'host_device';
  /**
   * Makes the target read as zeros and ready for a disk. May be called again to begin anew.
   *
   * @param virtualSize the disk's size in bytes, where it is known beforehand
   * @throws TransferError ImageTooLarge, NoSpace, TargetNotWritable
   */
  begin(virtualSize: number | undefined): Promise<void>;
  /**
   * Goes on with a disk that another process has begun, in place of `begin`.
   *
   * @returns false where the target is another one, or not as it was left
   */
  resume(unfinished: UnfinishedTarget, virtualSize: number | undefined): Promise<boolean>;
  /** Whether whatever is not written reads as zeros; otherwise `finish` sees to it. Valid after `begin`. */
  readonly readsAsZeros: boolean;
  /** The extent's data may be reused once this returns. */
  write(extent: Extent): Promise<void>;
  /** Says that another program has written the disk from its start to `end`, zeros included. */
  wroteUpTo(end: number): void;
  /**
   * Makes durable what was written until now; writing may go on meanwhile.
   *
   * @returns undefined where too much would have to be remembered to go on from here
   */
  checkpoint(): Promise<UnfinishedTarget | undefined>;
  /** What a target that was begun or resumed holds at this place; fewer bytes at its end. */
  read(offset: number, length: number): Promise<Buffer>;
  /** Makes everything durable and gives the disk its final size. */
  finish(virtualSize: number): Promise<WrittenTarget>;
  /** Leaves the unfinished disk as it is, for another process to go on with. */
  suspend(): Promise<void>;
  /** Leaves nothing behind that could be taken for a disk. */
  abandon(): Promise<void>;
  /** Makes durable what was written until now; returns the bytes of storage that the target takes, where it can tell. */
  syncSoFar(): Promise<number | undefined>;
}
