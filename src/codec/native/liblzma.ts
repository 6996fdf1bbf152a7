import { addressOf, has64Bits, type NativeCall, NativeLibrary } from '../../base/native/ffi.ts';
import { DecodingFailed } from './stream-codec.ts';

/** The first version with `lzma_filters_free`. The major version is part of the library's name. */
const OLDEST_VERSION = 50_040_000;

/** `lzma_stream`, `lzma_stream_flags`, `lzma_block` and `lzma_filter` in ABI version 5 on 64-bit systems. */
export const structs = {
  stream: { size: 136, nextIn: 0, availIn: 8, nextOut: 24, availOut: 32 },
  streamFlags: { size: 56, backwardSize: 8, check: 16 },
  block: {
    size: 208,
    version: 0,
    headerSize: 4,
    check: 8,
    compressedSize: 16,
    uncompressedSize: 24,
    filters: 32,
    rawCheck: 40,
    ignoreCheck: 200,
  },
  filter: { size: 16 },
} as const;
/** Longest filter chain, including the terminator. */
const LONGEST_CHAIN = 5;

export const code = { ok: 0, streamEnd: 1, noProgress: 10 } as const;
const MEMORY_ERROR = 5;

/** A parameter of mallopt(3): memory of this size and above is mapped individually, and unmapped when it is freed. */
const MMAP_THRESHOLD = -3;
const LARGE_MEMORY = 1024 * 1024;

export interface Liblzma {
  code: NativeCall<number>;
  end: NativeCall<number>;
  decodeStreamHeader: NativeCall<number>;
  decodeStreamFooter: NativeCall<number>;
  compareStreamFlags: NativeCall<number>;
  checkIsSupported: NativeCall<number>;
  decodeBlockHeader: NativeCall<number>;
  blockUnpaddedSize: NativeCall<number | bigint>;
  blockTotalSize: NativeCall<number | bigint>;
  decoderMemory: NativeCall<number | bigint>;
  createBlockDecoder: NativeCall<number>;
  freeFilters: NativeCall<number>;
  createIndexHash: NativeCall<bigint>;
  appendToIndexHash: NativeCall<number>;
  decodeIndex: NativeCall<number>;
  indexSize: NativeCall<number | bigint>;
  endIndexHash: NativeCall<number>;
}

/** liblzma's functions for xz files, or null where no known version is installed. */
export const liblzma: Liblzma | null = NativeLibrary.bind('liblzma.so.5', bind);

function bind(library: NativeLibrary): Liblzma | null {
  if (!has64Bits || library.call('uint32_t lzma_version_number()')() < OLDEST_VERSION) return null;
  // Dictionaries have megabytes, which must not stay with the thread after they are freed.
  NativeLibrary.bind(null, (node) => node.call('int mallopt(int parameter, int value)')(MMAP_THRESHOLD, LARGE_MEMORY));
  return {
    code: library.call('int lzma_code(void *strm, int action)'),
    end: library.call('void lzma_end(void *strm)'),
    decodeStreamHeader: library.call('int lzma_stream_header_decode(void *options, void *in)'),
    decodeStreamFooter: library.call('int lzma_stream_footer_decode(void *options, void *in)'),
    compareStreamFlags: library.call('int lzma_stream_flags_compare(void *a, void *b)'),
    checkIsSupported: library.call('uint8_t lzma_check_is_supported(int check)'),
    decodeBlockHeader: library.call('int lzma_block_header_decode(void *block, void *allocator, void *in)'),
    blockUnpaddedSize: library.call('uint64_t lzma_block_unpadded_size(void *block)'),
    blockTotalSize: library.call('uint64_t lzma_block_total_size(void *block)'),
    decoderMemory: library.call('uint64_t lzma_raw_decoder_memusage(void *filters)'),
    createBlockDecoder: library.call('int lzma_block_decoder(void *strm, void *block)'),
    freeFilters: library.call('void lzma_filters_free(void *filters, void *allocator)'),
    createIndexHash: library.call<bigint>('void *lzma_index_hash_init(void *index_hash, void *allocator)'),
    appendToIndexHash: library.call(
      'int lzma_index_hash_append(void *index_hash, uint64_t unpadded_size, uint64_t uncompressed_size)',
    ),
    decodeIndex: library.call('int lzma_index_hash_decode(void *index_hash, void *in, void *in_pos, size_t in_size)'),
    indexSize: library.call('uint64_t lzma_index_hash_size(void *index_hash)'),
    endIndexHash: library.call('void lzma_index_hash_end(void *index_hash, void *allocator)'),
  };
}

/** @throws DecodingFailed for any other code than the expected ones */
export function expectCode(result: number, ...expected: number[]): void {
  if (!expected.includes(result)) throw new DecodingFailed(result === MEMORY_ERROR ? 'memory' : 'damaged');
}

/**
 * Decodes the header of a block to a `lzma_block`, for the duration of a call.
 *
 * @param header as long as its first byte says
 * @param check number of the integrity check of the Stream
 * @throws DecodingFailed
 */
export function withBlock<Result>(
  lzma: Liblzma,
  header: Buffer,
  check: number,
  use: (block: Buffer, filters: Buffer) => Result,
): Result {
  const layout = structs.block;
  const block = Buffer.alloc(layout.size);
  const filters = Buffer.alloc(structs.filter.size * LONGEST_CHAIN);
  block.writeUInt32LE(1, layout.version);
  block.writeUInt32LE(header.length, layout.headerSize);
  block.writeUInt32LE(check, layout.check);
  block.writeBigUInt64LE(addressOf(filters), layout.filters);
  expectCode(lzma.decodeBlockHeader(block, null, header), code.ok);
  try {
    return use(block, filters);
  } finally {
    lzma.freeFilters(filters, null);
  }
}
