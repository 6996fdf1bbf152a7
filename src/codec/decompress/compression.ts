import { type Compression, compressions } from './drivers.ts';

export type { Compression };

/**
 * Recognises the compression of an object by its first bytes.
 *
 * @param head includes leading skippable frames and the next magic number, up to the longest that is read
 */
export function recogniseCompression(head: Buffer): Compression | undefined {
  return compressions.find(({ beginsIn }) => beginsIn(head))?.name;
}
