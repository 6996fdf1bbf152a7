import { compressions, type Compression } from './drivers.ts';

export type { Compression };

/**
 * Tells by the first bytes of an object how it is compressed.
 *
 * @param head where it begins with skippable frames, as much as they and the next magic number may take
 */
export function recogniseCompression(head: Buffer): Compression | undefined {
  return compressions.find(({ beginsIn }) => beginsIn(head))?.name;
}
