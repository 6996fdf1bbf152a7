import { constants, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode, TransferError } from './errors.ts';
import { CAUTIOUSLY } from './planted-files.ts';
import { runProgram } from './programs.ts';

/** Above this number of files, one sync of the whole file system is faster than one for each file. */
const MOST_FILES = 16;

/**
 * Makes everything below a folder durable.
 *
 * @throws TransferError TargetNotWritable
 */
export async function syncTree(directory: string): Promise<void> {
  const paths = await listFewFiles(directory);
  // A file system may be shared, and syncing it would have to wait for the data of others.
  if (paths && (await syncEach(paths))) return;
  const { exitCode, stderr } = await runProgram('sync', ['--file-system', directory]);
  if (exitCode !== 0) throw new TransferError('TargetNotWritable', `${directory} cannot be synced: ${stderr}`);
}

/** Lists the files and folders of a tree, including its root; undefined where there are too many. */
async function listFewFiles(directory: string): Promise<string[] | undefined> {
  const paths = [directory];
  const folders = [directory];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
    if (!entries || paths.length + entries.length > MOST_FILES) return undefined;
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      if (entry.isDirectory() || entry.isFile()) paths.push(path);
    }
  }
  return paths;
}

/** @returns false where one of them cannot be synced individually */
async function syncEach(paths: string[]): Promise<boolean> {
  for (const path of paths) {
    try {
      const file = await open(path, constants.O_RDONLY | CAUTIOUSLY);
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      if (['EIO', 'ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '')) throw error;
      return false;
    }
  }
  return true;
}
