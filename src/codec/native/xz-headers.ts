import { code, expectCode, type Liblzma, structs, withBlock } from './liblzma.ts';
import { type BlockSizes, DecodingFailed } from './stream-codec.ts';

/** `LZMA_VLI_UNKNOWN`, the value of a missing field of a header. */
const UNKNOWN = 2n ** 64n - 1n;

/** What the header of a block may say about its sizes. */
export interface XzBlockPlace {
  /** Bytes of the block with its header, padding and check. */
  total: number;
  sizes: BlockSizes;
}

/** The parts of one Stream of an xz file other than the data of its blocks (xz-file-format.txt, section 2.1). */
export class XzHeaders {
  readonly #lzma: Liblzma;
  readonly #flags = Buffer.alloc(structs.streamFlags.size);
  readonly #index: bigint;
  readonly check: number;

  /**
   * @param header 12 bytes, as is the footer
   * @throws DecodingFailed, as do all other methods
   */
  constructor(lzma: Liblzma, header: Buffer) {
    this.#lzma = lzma;
    expectCode(lzma.decodeStreamHeader(this.#flags, header), code.ok);
    this.check = this.#flags.readUInt32LE(structs.streamFlags.check);
    // liblzma would skip the check.
    if (lzma.checkIsSupported(this.check) === 0) throw new DecodingFailed('damaged');
    this.#index = lzma.createIndexHash(null, null);
  }

  /**
   * @param header as long as its first byte says
   * @param most memory that decoding the block may need, in bytes
   * @returns how much it needs, and the sizes in the header, where it has all of them
   */
  readBlockHeader(header: Buffer, most: number): { memory: number; place: XzBlockPlace | undefined } {
    const { compressedSize, uncompressedSize } = structs.block;
    return withBlock(this.#lzma, header, this.check, (block, filters) => {
      const needed = BigInt(this.#lzma.decoderMemory(filters));
      if (needed === UNKNOWN) throw new DecodingFailed('damaged');
      const memory = Number(needed);
      if (memory > most) throw new DecodingFailed('memory');
      const [compressed, uncompressed] = [compressedSize, uncompressedSize].map((at) => block.readBigUInt64LE(at));
      if (compressed === UNKNOWN || uncompressed === UNKNOWN || uncompressed === undefined) {
        return { memory, place: undefined };
      }
      const total = Number(this.#lzma.blockTotalSize(block));
      return {
        memory,
        place: { total, sizes: { unpadded: BigInt(this.#lzma.blockUnpaddedSize(block)), uncompressed } },
      };
    });
  }

  /** Has to be called with each block. */
  addBlock({ unpadded, uncompressed }: BlockSizes): void {
    expectCode(this.#lzma.appendToIndexHash(this.#index, unpadded, uncompressed), code.ok);
  }

  /**
   * Compares the Index with the blocks, piece by piece.
   *
   * @returns how many of the bytes belong to it, and whether these were the last
   */
  readIndex(bytes: Buffer): { length: number; ended: boolean } {
    const position = Buffer.alloc(8);
    const result = this.#lzma.decodeIndex(this.#index, bytes, position, bytes.length);
    expectCode(result, code.ok, code.streamEnd);
    return { length: Number(position.readBigUInt64LE()), ended: result === code.streamEnd };
  }

  readFooter(footer: Buffer): void {
    const { size, backwardSize } = structs.streamFlags;
    const flags = Buffer.alloc(size);
    expectCode(this.#lzma.decodeStreamFooter(flags, footer), code.ok);
    expectCode(this.#lzma.compareStreamFlags(this.#flags, flags), code.ok);
    if (flags.readBigUInt64LE(backwardSize) !== BigInt(this.#lzma.indexSize(this.#index))) {
      throw new DecodingFailed('damaged');
    }
  }

  close(): void {
    this.#lzma.endIndexHash(this.#index, null);
  }
}
