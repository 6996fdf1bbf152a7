import type { DiskRange } from '../../base/disk-source.ts';
import type { ChangedArea } from '../vsphere/changed-areas.ts';

/**
 * Divides a disk, from an offset on, into what has changed and what has not.
 *
 * @param areas ascending, without overlaps
 * @param contentOf tells what a changed part consists of: ascending, without gaps, up to its end
 */
export async function* changedRanges(
  from: number,
  size: number,
  areas: readonly ChangedArea[],
  contentOf: (offset: number, end: number) => AsyncIterable<DiskRange>,
): AsyncGenerator<DiskRange> {
  let offset = from;
  for (const { start, length } of areas) {
    const end = Math.min(start + length, size);
    if (end <= offset || start >= size) continue;
    if (start > offset) yield { offset, length: start - offset, content: 'unchanged' };
    yield* contentOf(Math.max(start, offset), end);
    offset = end;
  }
  if (offset < size) yield { offset, length: size - offset, content: 'unchanged' };
}
