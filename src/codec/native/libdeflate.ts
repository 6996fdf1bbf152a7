import { NativeLibrary } from '../../base/native/ffi.ts';
import type { BlockDecoder } from './block-decoder.ts';

/** How a deflate stream is wrapped: not at all (RFC 1951), or with the header and checksum of zlib (RFC 1950). */
export type DeflateWrapper = 'raw' | 'zlib';

/** Creates a decoder of deflate data. */
export type NewInflater = (wrapper: DeflateWrapper) => BlockDecoder;

const SUCCESS = 0;

/** libdeflate, or null where it is not installed. */
export const libdeflate: NewInflater | null = NativeLibrary.bind('libdeflate.so.0', bind);

function bind(library: NativeLibrary): NewInflater {
  const allocate = library.call<bigint>('void *libdeflate_alloc_decompressor()');
  const prototype = (name: string) =>
    `int ${name}(void *decompressor, const void *in, size_t in_nbytes, void *out, size_t out_nbytes_avail, ` +
    'void *actual_out_nbytes_ret)';
  const functions = (name: string) => ({
    call: library.call(prototype(name)),
    blockingCall: library.blockingCall<number>(prototype(name)),
  });
  const inflate = {
    raw: functions('libdeflate_deflate_decompress'),
    zlib: functions('libdeflate_zlib_decompress'),
  };
  return (wrapper) => {
    const { call, blockingCall } = inflate[wrapper];
    const decompressor = allocate();
    const produced = Buffer.alloc(8);
    const lengthFor = (code: number) => (code === SUCCESS ? Number(produced.readBigUInt64LE()) : undefined);
    return {
      decode: (compressed, output) =>
        lengthFor(call(decompressor, compressed, compressed.length, output, output.length, produced)),
      decodeAside: (compressed, output) =>
        new Promise((resolve) => {
          const done = (code: number): void => {
            resolve(lengthFor(code));
          };
          blockingCall(done, decompressor, compressed, compressed.length, output, output.length, produced);
        }),
    };
  };
}
