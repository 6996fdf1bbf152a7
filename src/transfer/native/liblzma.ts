import { NativeLibrary, addressOf, has64Bits, type NativeCall } from './ffi.ts';
import { xzMemory } from './memory-limit.ts';
import { processors } from './processors.ts';
import { DecodingFailed, type Step, type StreamCodec, type StreamDecoder } from './stream-codec.ts';

/** The first that decodes with several threads. The major version is part of its name. */
const OLDEST_VERSION = 50_040_000;

/** `lzma_stream` and `lzma_mt`, as ABI version 5 has them on systems of 64 bits. */
const stream = { size: 136, nextIn: 0, availIn: 8, nextOut: 24, availOut: 32 };
const options = { size: 128, flags: 0, threads: 4, memlimitThreading: 64, memlimitStop: 72 };

const CONCATENATED = 0x08;
const action = { run: 0, finish: 3 };
const code = { ok: 0, streamEnd: 1, memoryError: 5, memoryLimit: 6, noProgress: 10 };

/** Of mallopt(3), and what memory of that size and more is taken from the system by itself, and given back to it. */
const MMAP_THRESHOLD = -3;
const LARGE_MEMORY = 1024 * 1024;

interface Functions {
  createDecoder: NativeCall<number>;
  code: NativeCall<number>;
  end: NativeCall<number>;
}

/** liblzma's decoder of xz files with several threads, or null where it is not installed in a version that has one. */
export const liblzma: StreamCodec | null = NativeLibrary.bind('liblzma.so.5', bind);

function bind(library: NativeLibrary): StreamCodec | null {
  if (!has64Bits || library.call('uint32_t lzma_version_number()')() < OLDEST_VERSION) return null;
  // Blocks of a file are tens of megabytes: freed ones must not stay with the thread that had them.
  NativeLibrary.bind(null, (node) => node.call('int mallopt(int parameter, int value)')(MMAP_THRESHOLD, LARGE_MEMORY));
  const functions: Functions = {
    createDecoder: library.call('int lzma_stream_decoder_mt(void *strm, void *options)'),
    code: library.call('int lzma_code(void *strm, int action)'),
    end: library.call('void lzma_end(void *strm)'),
  };
  return () => new XzDecoder(functions);
}

class XzDecoder implements StreamDecoder {
  readonly #functions: Functions;
  readonly #stream = Buffer.alloc(stream.size);
  #finished = false;

  constructor(functions: Functions) {
    this.#functions = functions;
    const chosen = Buffer.alloc(options.size);
    chosen.writeUInt32LE(CONCATENATED, options.flags);
    chosen.writeUInt32LE(processors(), options.threads);
    const memory = xzMemory();
    chosen.writeBigUInt64LE(BigInt(memory.threaded), options.memlimitThreading);
    chosen.writeBigUInt64LE(BigInt(memory.most), options.memlimitStop);
    if (functions.createDecoder(this.#stream, chosen) !== code.ok) throw new DecodingFailed('memory');
  }

  step(input: Buffer, output: Buffer, ended: boolean): Step {
    if (this.#finished) return { consumed: 0, produced: 0, complete: true };
    const struct = this.#stream;
    struct.writeBigUInt64LE(addressOf(input), stream.nextIn);
    struct.writeBigUInt64LE(BigInt(input.length), stream.availIn);
    struct.writeBigUInt64LE(addressOf(output), stream.nextOut);
    struct.writeBigUInt64LE(BigInt(output.length), stream.availOut);
    const result = this.#functions.code(struct, ended ? action.finish : action.run);
    switch (result) {
      case code.ok:
        break;
      case code.streamEnd:
        this.#finished = true;
        break;
      case code.memoryError:
      case code.memoryLimit:
        throw new DecodingFailed('memory');
      case code.noProgress:
        throw new DecodingFailed('truncated');
      default:
        throw new DecodingFailed('damaged');
    }
    const consumed = input.length - Number(struct.readBigUInt64LE(stream.availIn));
    const produced = output.length - Number(struct.readBigUInt64LE(stream.availOut));
    return { consumed, produced, complete: this.#finished };
  }

  close(): void {
    this.#functions.end(this.#stream);
  }
}
