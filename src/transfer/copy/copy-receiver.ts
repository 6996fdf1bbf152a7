import type { BlockCheck } from './block-checks.ts';
import type { CloneOffer, TargetState } from './copy-protocol.ts';
import type { DiskExtent } from './extent-stream.ts';

/** What the target has after a stream was received. */
export interface ReceivedClone {
  /** Size of the disk in bytes; missing where the volume holds no disk. */
  virtualSize?: number;
  preallocated: boolean;
  /** Bytes of the disk that were there already, where it is an update of one that the target held. */
  unchangedBytes?: number;
  /** What the client said of it. */
  allocation?: CloneOffer['allocation'];
}

/**
 * Writes the stream of a clone to the target volume, one stream at a time: begin, write…, finish; or suspend; or
 * abandon.
 */
export interface CloneReceiver {
  /**
   * Decides whether the offer can be accepted, and removes whatever is on the target, unless the offer resumes it.
   *
   * @throws TransferError ImageTooLarge, UnsupportedClone, TargetNotWritable; SourceChanged where there is nothing to
   * resume
   */
  begin(offer: CloneOffer): Promise<void>;
  /** Writes the next piece of the stream, which may be reused once this returns. */
  write(piece: Buffer): Promise<void>;
  /**
   * Writes the next parts of a disk, in place of its stream. Their data may be reused once this returns, unless it is
   * lent for longer. Missing where only streams are received.
   */
  add?(parts: Iterable<DiskExtent | BlockCheck>): Promise<void>;
  /** Completes the clone, once the stream has arrived intact. Returns when all of it is durable. */
  finish(): Promise<ReceivedClone>;
  /** Keeps what has arrived, for another stream of the same content to resume from there. */
  suspend(): Promise<void>;
  /** Removes or invalidates whatever could be taken for a complete clone. */
  abandon(): Promise<void>;
}

/** A volume that receives a clone. */
export interface CloneTarget {
  /** Describes the volume, and what it holds of a stream that was suspended, or whose receiver was killed. */
  state(): Promise<TargetState>;
  /** Lists the files of a tree that have arrived, in the format of arrived-files.ts. */
  arrivedFiles(): Promise<Buffer>;
  /** @throws TransferError UnsupportedClone */
  receiverFor(offer: CloneOffer): Promise<CloneReceiver>;
}
