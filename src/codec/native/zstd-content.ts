import { isZero } from '../../base/zeros.ts';
import { DecodingFailed } from './stream-codec.ts';
import type { Xxh64 } from './xxh64.ts';
import { type FrameHeader, LARGEST_BLOCK } from './zstd-format.ts';

/** The decoded content of a zstd frame, which is compared with what the frame says about it. */
export class ZstdContent {
  readonly #header: FrameHeader;
  readonly #hash: Xxh64;
  #size = 0;
  /** The content so far ends with at least this many zeros. */
  #zeros = 0;

  /** @param hash is reset */
  constructor(header: FrameHeader, hash: Xxh64) {
    this.#header = header;
    this.#hash = hash;
    hash.reset();
  }

  get hasChecksum(): boolean {
    return this.#header.hasChecksum;
  }

  /** Whether this many further zeros, as can be in a block, would change nothing for the blocks after them. */
  ignoresZeros(length: number): boolean {
    const { windowSize } = this.#header;
    return this.#zeros >= windowSize && length <= Math.min(windowSize, LARGEST_BLOCK);
  }

  addZeros(length: number): void {
    this.#size += length;
    this.#zeros += length;
    if (this.hasChecksum) this.#hash.updateZeros(length);
  }

  /** @param areZeros whether the bytes are known to be zeros */
  add(bytes: Buffer, areZeros: boolean): void {
    this.#size += bytes.length;
    // Most content is checked for zeros later; here only what may continue a run of zeros is.
    const goesOn = areZeros || (this.#zeros > 0 && isZero(bytes));
    this.#zeros = goesOn ? this.#zeros + bytes.length : 0;
    if (this.hasChecksum) this.#hash.update(bytes);
  }

  /** @throws DecodingFailed */
  checkSize(): void {
    const { contentSize = this.#size } = this.#header;
    if (contentSize !== this.#size) throw new DecodingFailed('damaged');
  }

  /** @throws DecodingFailed */
  check(checksum: number): void {
    if (checksum !== this.#hash.lowestBits()) throw new DecodingFailed('damaged');
  }
}
