/** What one step of a decoder came to. */
export interface Step {
  /** Bytes of the input that it is done with. */
  consumed: number;
  /** Bytes that it wrote to the start of the output. */
  produced: number;
  /** How many zeros follow, which are not in the output; 0 where it is left out. */
  zeros?: number;
  /** Whether the input may end here: a whole number of members has been decoded, and all of them is out. */
  complete: boolean;
  /** Of what ends by itself, once it has: what is left of the input does not belong to it. */
  end?: BlockSizes;
}

/** What the Index of an xz file says of a block, in bytes. */
export interface BlockSizes {
  /** With its header and check. */
  unpadded: bigint;
  uncompressed: bigint;
}

/** A native decoder of one stream. */
export interface StreamDecoder {
  /**
   * Decodes as much as there is input or room for.
   *
   * @param ended whether nothing comes behind `input`
   * @throws DecodingFailed
   */
  step(input: Buffer, output: Buffer, ended: boolean): Step;
  /** Frees its memory. */
  close(): void;
}

/** Makes a decoder for each stream. */
export type StreamCodec = () => StreamDecoder;

/**
 * `foreign`: what follows a member is not the beginning of another. `window`: the content refers further back than memory is
 * given to. `dictionary`: it refers to one that is not here.
 */
export type DecodingFailure = 'damaged' | 'truncated' | 'foreign' | 'memory' | 'window' | 'dictionary';

/** A stream cannot be decoded. */
export class DecodingFailed extends Error {
  override readonly name = 'DecodingFailed';
  readonly failure: DecodingFailure;
  /** In bytes, where the window is what failed. */
  readonly window: number | undefined;

  constructor(failure: DecodingFailure, window?: number) {
    super(`the data cannot be decompressed: ${failure}`);
    this.failure = failure;
    this.window = window;
  }
}
