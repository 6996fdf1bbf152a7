/** Part of a disk, with its position. Ranges that no extent covers read as zeros. */
export interface Extent {
  /** Offset in bytes from the start of the disk. */
  offset: number;
  /** The bytes, which are lent until the next extent is requested. */
  data: Buffer;
  /** Lends the bytes until the promise has settled, however many extents are requested before. */
  keepUntil?: ((settled: Promise<unknown>) => void) | undefined;
}

/** A disk that is being decoded from a stream. */
export interface DecodedDisk {
  format: string;
  /** Whether the extents are the input as it is, so that writing them is copying and not converting. */
  isVerbatim?: boolean;
  /** Size of the disk as the guest sees it; undefined while only the end of the stream can tell. */
  virtualSize: number | undefined;
  /**
   * Offset in the input before which everything is covered by the extents that were passed on so far. A decoder that is
   * resumed at this offset passes on the remaining extents. Undefined where decoding cannot be resumed at this point.
   */
  position?: number;
  /** Extents in any order, without overlaps. The stream ends only after the last byte of the input was read. */
  extents: AsyncGenerator<Extent, void, void>;
}
