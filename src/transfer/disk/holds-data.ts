import type { DiskImport } from './disk-import.ts';
import { ReadAhead } from './read-ahead.ts';

/**
 * Whether a target that nothing is recorded of has all data of a disk or stage already, of which there must be some.
 * The target stays as it is.
 *
 * @throws TransferError
 */
export async function holdsData({ disk, target: { sink, progress, signal } }: DiskImport): Promise<boolean> {
  // Of any size, because the disk is not to be extended.
  if (!(await sink.update(0))) return false;
  let isFound = false;
  for await (const { offset, data } of new ReadAhead({ disk, from: 0, progress, signal }).pieces()) {
    if (data === undefined) continue;
    if (!data.equals(await sink.read(offset, data.length))) return false;
    isFound = true;
  }
  return isFound;
}
