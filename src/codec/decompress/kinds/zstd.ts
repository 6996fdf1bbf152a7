import { zstdStream } from '../../native/libzstd.ts';
import type { CompressionDriver } from '../driver.ts';
import { decodedRemotely } from '../remote-decoder.ts';
import { behindSkippableFrames } from '../skippable-frames.ts';
import { decompressZstd } from '../zlib-decompressor.ts';

/** RFC 8878 section 3.1.1. */
const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

export const zstd = {
  name: 'zstd',
  beginsIn: (head) => {
    const frame = behindSkippableFrames(head);
    if (frame === undefined) return head.subarray(0, MAGIC.length).equals(MAGIC);
    const start = frame.subarray(0, MAGIC.length);
    // Where they are longer than what can be seen, the decoder finds out: of the two formats, only zstd's programs write them.
    return start.equals(MAGIC.subarray(0, start.length));
  },
  native: zstdStream === null ? undefined : decodedRemotely('zstd'),
  decompress: decompressZstd,
  contentCodings: ['zstd'],
} as const satisfies CompressionDriver;
