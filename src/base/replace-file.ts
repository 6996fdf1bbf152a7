import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from './sync-directory.ts';

/** The path at which the next content of a file is written. A killed process may leave it behind. */
export const draftOf = (path: string) => `${path}.new`;

/**
 * Replaces a file atomically: after a crash at any point it has the old text or the new one. The text is durable once
 * this returns. Whatever somebody placed at the draft's path (a pipe, a link, a hard link) is not written to.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  await rm(draftOf(path), { force: true });
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const draft = await open(draftOf(path), flags, 0o600);
  try {
    await draft.writeFile(text);
    await draft.sync();
  } finally {
    await draft.close();
  }
  await rename(draftOf(path), path);
  await syncDirectory(dirname(path));
}
