import { isZero } from '../../base/zeros.ts';
import { DecodingFailed } from './stream-codec.ts';
import type { Xxh64 } from './xxh64.ts';
import { LARGEST_BLOCK, type FrameHeader } from './zstd-format.ts';

/** What a zstd frame holds, as far as it has been decoded, and whether it is what the frame says of it. */
export class ZstdContent {
  readonly #header: FrameHeader;
  readonly #hash: Xxh64;
  #size = 0;
  /** It ends with so many zeros, at least. */
  #zeros = 0;

  /** @param hash is begun anew */
  constructor(header: FrameHeader, hash: Xxh64) {
    this.#header = header;
    this.#hash = hash;
    hash.reset();
  }

  get hasChecksum(): boolean {
    return this.#header.hasChecksum;
  }

  /** Whether further zeros, so many as can be in a block, would change nothing for the blocks behind them. */
  ignoresZeros(length: number): boolean {
    const { windowSize } = this.#header;
    return this.#zeros >= windowSize && length <= Math.min(windowSize, LARGEST_BLOCK);
  }

  addZeros(length: number): void {
    this.#size += length;
    this.#zeros += length;
    if (this.hasChecksum) this.#hash.updateZeros(length);
  }

  /** @param areZeros whether they are known to be */
  add(bytes: Buffer, areZeros: boolean): void {
    this.#size += bytes.length;
    // Most are looked at later anyway: here only those that may go on with zeros are.
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
