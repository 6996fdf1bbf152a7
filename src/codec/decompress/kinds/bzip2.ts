import type { CompressionDriver } from '../driver.ts';
import { decompressWithProgram } from '../program-decompressor.ts';

const MAGIC = /^BZh[1-9]$/;
/** What follows the magic number: a block, or the end of an empty stream. */
const starts = ['314159265359', '177245385090'];

export const bzip2 = {
  name: 'bzip2',
  beginsIn: (head) => MAGIC.test(head.toString('latin1', 0, 4)) && starts.includes(head.toString('hex', 4, 10)),
  native: undefined,
  decompress: (input) => decompressWithProgram('bzip2', ['--decompress', '--stdout'], input),
  contentCodings: [],
} as const satisfies CompressionDriver;
