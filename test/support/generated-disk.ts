import { randomFillSync } from 'node:crypto';
import fc from 'fast-check';
import type { DiskRange } from '../../src/base/disk-source.ts';

const LONGEST = 300_000;
const SECTOR = 512;

/** A part of a disk, from which its map and its content are made. */
export interface GeneratedPart {
  /** In sectors. */
  sectors: number;
  content: DiskRange['content'];
  /** Whether the data of the part is zeros after all. */
  isBlank: boolean;
}

/** Arbitrary parts of a disk: long ones and short ones, neighbours with the same content among them. */
export function generatedParts(contents: readonly DiskRange['content'][]): fc.Arbitrary<GeneratedPart[]> {
  const sectors = fc.oneof(
    fc.integer({ min: 1, max: 16 }),
    fc.integer({ min: 1, max: Math.floor(LONGEST / SECTOR) }),
    fc.constantFrom(128, 256),
  );
  const part = fc.record({
    sectors,
    content: fc.constantFrom(...contents),
    isBlank: fc.integer({ min: 0, max: 4 }).map((number) => number === 0),
  });
  return fc.array(part, { minLength: 1, maxLength: 20 });
}

export function mapOf(parts: readonly GeneratedPart[]): DiskRange[] {
  let offset = 0;
  return parts.map(({ sectors, content }) => {
    const range = { offset, length: sectors * SECTOR, content };
    offset += range.length;
    return range;
  });
}

/**
 * Makes the content of a disk.
 *
 * @param before what the disk held, of which the unchanged parts are taken; zeros where it was shorter
 */
export function contentOf(parts: readonly GeneratedPart[], before: Buffer = Buffer.alloc(0)): Buffer {
  const ranges = mapOf(parts);
  const content = Buffer.alloc(ranges.reduce((sum, { length }) => sum + length, 0));
  for (const [index, { offset, length, content: kind }] of ranges.entries()) {
    if (kind === 'unchanged') content.set(before.subarray(offset, offset + length), offset);
    if (kind === 'data' && parts[index]?.isBlank === false) randomFillSync(content, offset, length);
  }
  return content;
}
