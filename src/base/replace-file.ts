import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from './sync-directory.ts';

/** Where a file's next content is written; it may be left behind by a process that was killed. */
export const draftOf = (path: string) => `${path}.new`;

/**
 * Replaces a file as a whole: after a crash at any point it holds the old text or the new one. Durable once this returns. Nothing is
 * written to what somebody has put in the draft's place: a pipe, a link, another name of a file.
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
