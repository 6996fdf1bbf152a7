import { chmod, readdir, rm } from 'node:fs/promises';
import { systemCode, TransferError } from './errors.ts';
import { LOST_AND_FOUND } from './lost-and-found.ts';

/**
 * Removes everything below the root of a volume, including the caller's own read-only folders.
 *
 * @throws TransferError TargetNotWritable
 */
export async function emptyDirectory(directory: string): Promise<void> {
  try {
    for (const entry of await readdir(directory, { withFileTypes: true, encoding: 'buffer' })) {
      if (entry.name.toString() === LOST_AND_FOUND) continue;
      const path = join(Buffer.from(directory), entry.name);
      if (entry.isDirectory()) {
        await chmod(path, 0o700);
        await makeWritable(path, { isRoot: false });
      }
      await rm(path, { recursive: true, force: true });
    }
  } catch (error) {
    throw new TransferError(
      'TargetNotWritable',
      `what an earlier attempt left in ${directory} cannot be removed: ${systemCode(error) ?? String(error)}`,
      { cause: error },
    );
  }
}

/**
 * Gives the caller full permissions on the folders within a folder.
 *
 * @param isRoot whether this is the root of a volume, where mkfs has left a folder that the caller does not own
 */
export async function makeWritable(directory: Buffer, { isRoot = true } = {}): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true, encoding: 'buffer' })) {
    if (!entry.isDirectory() || (isRoot && entry.name.toString() === LOST_AND_FOUND)) continue;
    const path = join(directory, entry.name);
    await chmod(path, 0o700);
    await makeWritable(path, { isRoot: false });
  }
}

/** Joins names as bytes, because names are not always valid text. */
function join(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), name]);
}
