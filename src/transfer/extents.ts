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
  /** In any order, without overlaps. Ends only after the last byte of the input was read. */
  extents: AsyncGenerator<Extent, void, void>;
}
