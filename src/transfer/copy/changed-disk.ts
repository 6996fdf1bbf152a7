import { type BlockRange, endOf } from '../../base/block-range.ts';
import { type BlockCheck, blocksToCheck, CHECKED_LENGTH, codeOfBlock } from './block-checks.ts';
import { mapData } from './data-map.ts';
import { DiskInput } from './disk-input.ts';
import type { DiskMap } from './disk-reader.ts';

/** Bytes at the end of a disk that are always sent: the target keeps its checkpoint there (copy-checkpoint.ts). */
const ALWAYS_SENT = 64 * 1024;

/**
 * Returns what has to be sent of a disk: what has changed, and its end.
 *
 * @param changed ascending, without overlaps, within the disk
 * @param size of the disk in bytes
 */
export function rangesToSend(changed: readonly BlockRange[], size: number): BlockRange[] {
  const tail = Math.max(0, size - ALWAYS_SENT);
  const before = changed
    .filter(({ offset }) => offset < tail)
    .map((range) => ({ offset: range.offset, length: Math.min(endOf(range), tail) - range.offset }));
  return [...before, { offset: tail, length: size - tail }];
}

/** Returns the map of a disk of which only the given ranges are read, and the rest is on the target already. */
export function mapOf(sent: readonly BlockRange[]): DiskMap {
  return function* (file, from, end) {
    let at = from;
    for (const range of sent) {
      if (endOf(range) <= at) continue;
      const start = Math.max(at, range.offset);
      if (start > at) yield { offset: at, length: start - at, hole: true, isUnchanged: true };
      yield* mapData(file, start, endOf(range));
      at = endOf(range);
    }
    if (at < end) yield { offset: at, length: end - at, hole: true, isUnchanged: true };
  };
}

/**
 * Reads the blocks by which the target finds out whether it has what is not sent.
 *
 * @throws TransferError SourceNotReadable, SourceChanged
 */
export async function checksOf(path: string, sent: readonly BlockRange[], size: number): Promise<BlockCheck[]> {
  const disk = await DiskInput.open(path);
  const buffer = Buffer.allocUnsafe(CHECKED_LENGTH);
  try {
    const checks: BlockCheck[] = [];
    for (const offset of blocksToCheck(sent, size)) {
      checks.push({ offset, code: codeOfBlock(await disk.read(buffer, offset)) });
    }
    return checks;
  } finally {
    await disk.close();
  }
}
