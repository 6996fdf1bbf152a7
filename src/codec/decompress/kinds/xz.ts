import { xzMemory } from '../../../base/native/memory-limit.ts';
import { type Liblzma, liblzma } from '../../native/liblzma.ts';
import type { CompressionDriver, NativeDecoding } from '../driver.ts';
import { decompressWithProgram } from '../program-decompressor.ts';
import { XzDecoder } from '../xz-decoder.ts';

/** The magic number of the .xz file format, section 2.1.1.1. */
const MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);

export const xz = {
  name: 'xz',
  beginsIn: (head) => head.subarray(0, MAGIC.length).equals(MAGIC),
  native: liblzma === null ? undefined : decodedBy(liblzma),
  decompress: (input) => {
    const { threaded, most } = xzMemory();
    const limits = [`--memlimit-mt-decompress=${threaded}`, `--memlimit-decompress=${most}`];
    return decompressWithProgram('xz', ['--decompress', '--stdout', '--threads=0', ...limits], input);
  },
  contentCodings: [],
} as const satisfies CompressionDriver;

function decodedBy(lzma: Liblzma): NativeDecoding {
  return { create: () => new XzDecoder(lzma), hasPieces: true };
}
