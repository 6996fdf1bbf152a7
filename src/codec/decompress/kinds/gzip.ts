import { igzip } from '../../native/igzip.ts';
import type { PooledCodec } from '../../native/stream-codec.ts';
import type { CompressionDriver, NativeDecoding } from '../driver.ts';
import { PooledStream } from '../pooled-stream.ts';
import { decompressGzip } from '../zlib-decompressor.ts';

/** The magic number of RFC 1952, and deflate, the only compression method. */
const MAGIC = Buffer.from([0x1f, 0x8b, 0x08]);

export const gzip = {
  name: 'gzip',
  beginsIn: (head) => head.subarray(0, MAGIC.length).equals(MAGIC),
  native: igzip === null ? undefined : decodedBy(igzip),
  decompress: decompressGzip,
  contentCodings: ['gzip', 'x-gzip'],
} as const satisfies CompressionDriver;

function decodedBy(newDecoder: PooledCodec): NativeDecoding {
  return { create: () => new PooledStream(newDecoder()), hasPieces: false };
}
