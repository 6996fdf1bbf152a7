/** The result of one step of a decoder. */
export interface Step {
  /** Bytes of the input that were consumed. */
  consumed: number;
  /** Bytes that were written to the start of the output. */
  produced: number;
  /** Number of zeros that follow and are not in the output; missing means 0. */
  zeros?: number;
  /** Whether the input may end here: a whole number of members has been decoded, and all of their content is out. */
  complete: boolean;
  /** Set once a stream that marks its own end has ended: the rest of the input does not belong to it. */
  end?: BlockSizes;
}

/** What the Index of an xz file says about a block, in bytes. */
export interface BlockSizes {
  /** Includes the header and the check. */
  unpadded: bigint;
  uncompressed: bigint;
}

/** A native decoder of one stream. */
export interface StreamDecoder {
  /**
   * Decodes as much as there is input or room for.
   *
   * @param ended whether nothing follows `input`
   * @throws DecodingFailed
   */
  step(input: Buffer, output: Buffer, ended: boolean): Step;
  /** Frees its memory. */
  close(): void;
}

/** Creates a decoder for each stream. */
export type StreamCodec = () => StreamDecoder;

/**
 * `foreign`: what follows a member is not the start of another one. `window`: the content refers back further than
 * memory is granted for. `dictionary`: it refers to a dictionary that is not available.
 */
export type DecodingFailure = 'damaged' | 'truncated' | 'foreign' | 'memory' | 'window' | 'dictionary';

/** A stream cannot be decoded. */
export class DecodingFailed extends Error {
  override readonly name = 'DecodingFailed';
  readonly failure: DecodingFailure;
  /** Size of the window in bytes, where that is what failed. */
  readonly window: number | undefined;

  constructor(failure: DecodingFailure, window?: number) {
    super(`the data cannot be decompressed: ${failure}`);
    this.failure = failure;
    this.window = window;
  }
}
