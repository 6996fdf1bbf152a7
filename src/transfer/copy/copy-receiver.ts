import type { CloneOffer, TargetState } from './copy-protocol.ts';

/** What the target end of a clone made of a stream. */
export interface ReceivedClone {
  /** The disk's size in bytes; missing where the volume holds no disk. */
  virtualSize?: number;
  preallocated: boolean;
}

/** Writes a clone's stream to the target volume. One stream at a time: begin, write…, finish; or suspend; or abandon. */
export interface CloneReceiver {
  /**
   * Decides whether the offer can be taken, and removes whatever is on the target, unless the offer goes on with it.
   *
   * @throws TransferError ImageTooLarge, UnsupportedClone, TargetNotWritable; SourceChanged where nothing is there to go on with
   */
  begin(offer: CloneOffer): Promise<void>;
  /** Takes the next piece of the stream, which may be reused once this returns. */
  write(piece: Buffer): Promise<void>;
  /** The stream has arrived as it was sent. Returns when all of it is durable. */
  finish(): Promise<ReceivedClone>;
  /** Keeps what has arrived, for another stream of the same content to go on from there. */
  suspend(): Promise<void>;
  /** Leaves nothing behind that could be taken for a whole clone. */
  abandon(): Promise<void>;
}

/** A volume that a clone is received into. */
export interface CloneTarget {
  /** What it is, and what is on it of a stream that was suspended, or whose receiver was killed. */
  state(): Promise<TargetState>;
  /** The files that are on it of a tree, in the words of arrived-files.ts. */
  arrivedFiles(): Promise<Buffer>;
  /** @throws TransferError UnsupportedClone */
  receiverFor(offer: CloneOffer): Promise<CloneReceiver>;
}
