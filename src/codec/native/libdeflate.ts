import { NativeLibrary } from '../../base/native/ffi.ts';

/** How a deflate stream is wrapped: not at all (RFC 1951), or with the header and checksum of zlib (RFC 1950). */
export type DeflateWrapper = 'raw' | 'zlib';

/** Decompresses a block of known size in one piece. */
export interface BlockInflater {
  /**
   * @param output has room for everything that the block holds
   * @returns the number of bytes written to `output`, or undefined where the block is not valid as a whole
   */
  inflate(wrapper: DeflateWrapper, compressed: Buffer, output: Buffer): number | undefined;
}

const SUCCESS = 0;

/** libdeflate, or null where it is not installed. */
export const libdeflate: BlockInflater | null = NativeLibrary.bind('libdeflate.so.0', bind);

function bind(library: NativeLibrary): BlockInflater {
  const decompressor = library.call<bigint>('void *libdeflate_alloc_decompressor()')();
  const produced = Buffer.alloc(8);
  const call = (name: string) =>
    library.call(
      `int ${name}(void *decompressor, const void *in, size_t in_nbytes, void *out, size_t out_nbytes_avail, ` +
        'void *actual_out_nbytes_ret)',
    );
  const inflate = { raw: call('libdeflate_deflate_decompress'), zlib: call('libdeflate_zlib_decompress') };
  return {
    inflate(wrapper, compressed, output) {
      const code = inflate[wrapper](decompressor, compressed, compressed.length, output, output.length, produced);
      return code === SUCCESS ? Number(produced.readBigUInt64LE()) : undefined;
    },
  };
}
