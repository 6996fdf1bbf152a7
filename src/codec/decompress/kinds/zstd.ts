import { zstdStream } from '../../native/libzstd.ts';
import type { CompressionDriver } from '../driver.ts';
import { decodedRemotely } from '../remote-decoder.ts';
import { behindSkippableFrames } from '../skippable-frames.ts';
import { decompressZstd } from '../zlib-decompressor.ts';

/** The magic number of RFC 8878 section 3.1.1. */
const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

export const zstd = {
  name: 'zstd',
  beginsIn: (head) => {
    const frame = behindSkippableFrames(head);
    if (frame === undefined) return head.subarray(0, MAGIC.length).equals(MAGIC);
    const start = frame.subarray(0, MAGIC.length);
    // Where the frames exceed what is visible, the decoder decides: of the two formats, only programs for zstd write
    // such frames.
    return start.equals(MAGIC.subarray(0, start.length));
  },
  native: zstdStream === null ? undefined : decodedRemotely('zstd'),
  decompress: decompressZstd,
  contentCodings: ['zstd'],
} as const satisfies CompressionDriver;
