/** Decompresses blocks of known size with a native library, one at a time. */
export interface BlockDecoder {
  /**
   * @param compressed the whole block
   * @param output has room for everything that the block holds
   * @returns the number of bytes written to `output`, or undefined where the block is not valid as a whole
   */
  decode(compressed: Buffer, output: Buffer): number | undefined;

  /** Does the same on a thread of Node's pool. Both buffers must stay as they are meanwhile. */
  decodeAside(compressed: Buffer, output: Buffer): Promise<number | undefined>;
}
