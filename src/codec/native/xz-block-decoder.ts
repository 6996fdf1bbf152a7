import { addressOf } from '../../base/native/ffi.ts';
import { code, expectCode, type Liblzma, structs, withBlock } from './liblzma.ts';
import { type BlockSizes, DecodingFailed, type Step, type StreamDecoder } from './stream-codec.ts';
import { fastCheck, type RunningCheck } from './xz-checks.ts';

const action = { run: 0, finish: 3 };

/** What is known of a block of an xz file before its data. */
export interface XzBlock {
  /** The bytes of the header. */
  header: Uint8Array;
  /** Number of the integrity check of its Stream. */
  check: number;
}

/** Decodes one block of an xz file after its header (xz-file-format.txt, section 3), and verifies its check. */
export class XzBlockDecoder implements StreamDecoder {
  readonly #lzma: Liblzma;
  readonly #stream = Buffer.alloc(structs.stream.size);
  /** The native struct of the block, which the decoder refers to. */
  readonly #block: Buffer;
  /** The check that is computed here; undefined where liblzma does that. */
  readonly #check: RunningCheck | undefined;

  constructor(lzma: Liblzma, { header, check }: XzBlock) {
    this.#lzma = lzma;
    this.#check = fastCheck(check);
    this.#block = withBlock(lzma, Buffer.from(header), check, (block) => {
      if (this.#check !== undefined) block.writeUInt8(1, structs.block.ignoreCheck);
      expectCode(lzma.createBlockDecoder(this.#stream, block), code.ok);
      return block;
    });
  }

  step(input: Buffer, output: Buffer, ended: boolean): Step {
    const struct = this.#stream;
    const { nextIn, availIn, nextOut, availOut } = structs.stream;
    struct.writeBigUInt64LE(addressOf(input), nextIn);
    struct.writeBigUInt64LE(BigInt(input.length), availIn);
    struct.writeBigUInt64LE(addressOf(output), nextOut);
    struct.writeBigUInt64LE(BigInt(output.length), availOut);
    const result = this.#lzma.code(struct, ended ? action.finish : action.run);
    if (result === code.noProgress) throw new DecodingFailed('truncated');
    expectCode(result, code.ok, code.streamEnd);
    const consumed = input.length - Number(struct.readBigUInt64LE(availIn));
    const produced = output.length - Number(struct.readBigUInt64LE(availOut));
    this.#check?.add(output.subarray(0, produced));
    if (result === code.ok) return { consumed, produced, complete: false };
    this.#compareCheck();
    return { consumed, produced, complete: true, end: this.#sizes() };
  }

  close(): void {
    this.#lzma.end(this.#stream);
  }

  #compareCheck(): void {
    const digest = this.#check?.digest();
    const { rawCheck } = structs.block;
    if (digest === undefined || this.#block.subarray(rawCheck, rawCheck + digest.length).equals(digest)) return;
    throw new DecodingFailed('damaged');
  }

  #sizes(): BlockSizes {
    return {
      unpadded: BigInt(this.#lzma.blockUnpaddedSize(this.#block)),
      uncompressed: this.#block.readBigUInt64LE(structs.block.uncompressedSize),
    };
  }
}
