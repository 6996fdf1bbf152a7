import { igzip } from '../../native/igzip.ts';
import type { CompressionDriver } from '../driver.ts';
import { decodedRemotely } from '../remote-decoder.ts';
import { decompressGzip } from '../zlib-decompressor.ts';

/** The magic number of RFC 1952, and deflate, the only compression method. */
const MAGIC = Buffer.from([0x1f, 0x8b, 0x08]);

export const gzip = {
  name: 'gzip',
  beginsIn: (head) => head.subarray(0, MAGIC.length).equals(MAGIC),
  native: igzip === null ? undefined : decodedRemotely('gzip'),
  decompress: decompressGzip,
  contentCodings: ['gzip', 'x-gzip'],
} as const satisfies CompressionDriver;
