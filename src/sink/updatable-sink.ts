import type { ResumableSink } from './resumable-sink.ts';

/** A target with a disk of which parts can be replaced. */
export interface UpdatableSink extends ResumableSink {
  /**
   * Opens the disk that the target holds, in place of `begin`. Ranges that are not written keep their content, and
   * zeros are not left out. The target is extended where the disk has grown.
   *
   * @param virtualSize the size of the disk from now on, in bytes
   * @returns false where there is no disk
   * @throws TransferError ImageTooLarge, NoSpace, TargetNotWritable; the target is as it was
   */
  update(virtualSize: number): Promise<boolean>;
}
