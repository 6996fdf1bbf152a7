import { igzip } from '../../native/igzip.ts';
import type { CompressionDriver } from '../driver.ts';
import { decodedRemotely } from '../remote-decoder.ts';
import { decompressGzip } from '../zlib-decompressor.ts';

/** RFC 1952, with deflate, the only method there is. */
const MAGIC = Buffer.from([0x1f, 0x8b, 0x08]);

export const gzip = {
  name: 'gzip',
  beginsIn: (head) => head.subarray(0, MAGIC.length).equals(MAGIC),
  native: igzip === null ? undefined : decodedRemotely('gzip'),
  decompress: decompressGzip,
  contentCodings: ['gzip', 'x-gzip'],
} as const satisfies CompressionDriver;
