import type { CloneOffer } from './clone-protocol.ts';

/** What the target end of a clone made of a stream. */
export interface ReceivedClone {
  /** The disk's size in bytes; missing where the volume holds no disk. */
  virtualSize?: number;
  preallocated: boolean;
}

/** Writes a clone's stream to the target volume. One stream at a time: begin, write…, finish; or abandon, and begin anew. */
export interface CloneReceiver {
  /**
   * Decides whether the offer can be taken, and removes whatever is on the target.
   *
   * @throws TransferError ImageTooLarge, UnsupportedClone, TargetNotWritable
   */
  begin(offer: CloneOffer): Promise<void>;
  /** Takes the next piece of the stream, which may be reused once this returns. */
  write(piece: Buffer): Promise<void>;
  /** The stream has arrived as it was sent. Returns when all of it is durable. */
  finish(): Promise<ReceivedClone>;
  /** Leaves nothing behind that could be taken for a whole clone. */
  abandon(): Promise<void>;
}
