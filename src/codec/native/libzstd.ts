import { addressOf, has64Bits, type NativeCall, NativeLibrary } from '../../base/native/ffi.ts';
import { DecodingFailed, type StreamCodec } from './stream-codec.ts';
import { newXxh64, type Xxh64 } from './xxh64.ts';
import { type FrameStream, ZstdDecoder } from './zstd-decoder.ts';

/** Decompresses whole zstd frames of known size (RFC 8878). */
export interface FrameDecoder {
  /**
   * @param frame one frame and nothing after it
   * @param output has room for everything that the frame holds
   * @returns the number of bytes written to `output`, or undefined where the frame is invalid
   */
  decompress(frame: Buffer, output: Buffer): number | undefined;
}

interface Functions {
  createContext: NativeCall<bigint>;
  freeContext: NativeCall<number>;
  isError: NativeCall<number>;
  decompress: NativeCall<number>;
  decompressStream: NativeCall<number>;
}

/** The first version in which all calls and structs below are part of the stable interface. */
const OLDEST_VERSION = 10400;
/** Size of `ZSTD_inBuffer` and `ZSTD_outBuffer`: a pointer, a size and a position. */
const BUFFER_SIZE = 24;

// Node's own copy: it contains the whole library, and exports it.
const functions = NativeLibrary.bind(null, bind);

/** libzstd for whole frames, or null where it cannot be called. */
export const libzstd: FrameDecoder | null = functions && frameDecoder(functions);

/** libzstd for streams of frames, or null where it cannot be called. */
export const zstdStream: StreamCodec | null = functions && newXxh64 && streamCodec(functions, newXxh64);

function bind(library: NativeLibrary): Functions | null {
  if (!has64Bits || library.call('uint32_t ZSTD_versionNumber()')() < OLDEST_VERSION) return null;
  return {
    createContext: library.call<bigint>('void *ZSTD_createDCtx()'),
    freeContext: library.call('size_t ZSTD_freeDCtx(void *dctx)'),
    isError: library.call('uint32_t ZSTD_isError(size_t code)'),
    decompress: library.call(
      'size_t ZSTD_decompressDCtx(void *dctx, void *dst, size_t dstCapacity, void *src, size_t srcSize)',
    ),
    decompressStream: library.call('size_t ZSTD_decompressStream(void *dctx, void *output, void *input)'),
  };
}

function frameDecoder({ createContext, decompress }: Functions): FrameDecoder {
  let context: bigint | undefined;
  return {
    decompress(frame, output) {
      // libzstd accepts empty input, although it contains no frame.
      if (frame.length === 0) return undefined;
      context ??= createContext();
      const result = decompress(context, output, output.length, frame, frame.length);
      // Errors are negative numbers, converted to size_t.
      return result <= output.length ? result : undefined;
    },
  };
}

function streamCodec(functions: Functions, newHash: () => Xxh64): StreamCodec {
  return () => new ZstdDecoder(new LibzstdStream(functions), newHash());
}

class LibzstdStream implements FrameStream {
  readonly #functions: Functions;
  readonly #context: bigint;
  readonly #input = Buffer.alloc(BUFFER_SIZE);
  readonly #output = Buffer.alloc(BUFFER_SIZE);

  constructor(functions: Functions) {
    this.#functions = functions;
    this.#context = functions.createContext();
  }

  decode(input: Buffer, output: Buffer): { consumed: number; produced: number } {
    describe(this.#input, input);
    describe(this.#output, output);
    const code = this.#functions.decompressStream(this.#context, this.#output, this.#input);
    if (this.#functions.isError(code) !== 0) throw new DecodingFailed('damaged');
    return { consumed: position(this.#input), produced: position(this.#output) };
  }

  close(): void {
    this.#functions.freeContext(this.#context);
  }
}

function describe(struct: Buffer, memory: Buffer): void {
  struct.writeBigUInt64LE(addressOf(memory), 0);
  struct.writeBigUInt64LE(BigInt(memory.length), 8);
  struct.writeBigUInt64LE(0n, 16);
}

function position(struct: Buffer): number {
  return Number(struct.readBigUInt64LE(16));
}
