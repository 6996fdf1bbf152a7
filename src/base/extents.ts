/** A piece of a disk at its place. What no extent covers reads as zeros. */
export interface Extent {
  /** In bytes, from the disk's start. */
  offset: number;
  /** Lent until the next extent is asked for. */
  data: Buffer;
}

/** A disk that is being decoded from a stream. */
export interface DecodedDisk {
  format: string;
  /** The disk's size as its guest sees it; undefined while only the stream's end tells. */
  virtualSize: number | undefined;
  /**
   * How far into the input it is: with the extents that were passed on so far, all is known of what lies before this offset.
   * A decoder that is told to go on from there passes on the others. Undefined where it cannot go on in the middle.
   */
  position?: number;
  /** In any order, without overlaps. Ends only after the last byte of the input was read. */
  extents: AsyncGenerator<Extent, void, void>;
}
