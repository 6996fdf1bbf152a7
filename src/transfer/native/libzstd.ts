import { NativeLibrary, type NativeCall, type NativeTask } from './ffi.ts';

/** Decompresses whole zstd frames of known size (RFC 8878). */
export interface FrameDecoder {
  /**
   * @param frame one frame and nothing behind it
   * @param output has room for all that the frame holds
   * @returns the bytes written to `output`, or undefined where the frame is not sound
   */
  decompress(frame: Buffer, output: Buffer): Promise<number | undefined>;
}

interface Functions {
  createContext: NativeCall<bigint>;
  decompress: NativeTask;
}

/** The calls below have been part of its stable interface since then. */
const OLDEST_VERSION = 10400;

const functions = bind();

/** libzstd, or null where it is not installed. */
export const libzstd: FrameDecoder | null = functions && frameDecoder(functions);

function bind(): Functions | null {
  const library = NativeLibrary.open('libzstd.so.1');
  if (library === undefined || library.call('uint32_t ZSTD_versionNumber()')() < OLDEST_VERSION) return null;
  return {
    createContext: library.call<bigint>('void *ZSTD_createDCtx()'),
    decompress: library.task(
      'size_t ZSTD_decompressDCtx(void *dctx, void *dst, size_t dstCapacity, void *src, size_t srcSize)',
    ),
  };
}

function frameDecoder({ createContext, decompress }: Functions): FrameDecoder {
  // As many as were ever in use at once: callers bound that.
  const idle: bigint[] = [];
  return {
    async decompress(frame, output) {
      // To libzstd, nothing is no frame, and sound.
      if (frame.length === 0) return undefined;
      const context = idle.pop() ?? createContext();
      try {
        const result = await decompress(context, output, output.length, frame, frame.length);
        // Errors are negative numbers made a size_t.
        return result <= output.length ? result : undefined;
      } finally {
        idle.push(context);
      }
    },
  };
}
