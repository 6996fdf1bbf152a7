import { mkdir, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../../base/errors.ts';
import { readSmallFile } from '../../base/planted-files.ts';
import { draftOf, replaceFile } from '../../base/replace-file.ts';
import { syncDirectory } from '../../base/sync-directory.ts';
import type { CheckpointStore } from './store.ts';

/** No checkpoint reaches this length, in bytes. */
const LONGEST = 1024 * 1024;

/**
 * Stores a checkpoint in a file, which is replaced atomically. The folder is created where it is missing. Anything else
 * at the path is not taken for a checkpoint.
 */
export class FileCheckpointStore implements CheckpointStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<string | undefined> {
    return readSmallFile(this.#path, LONGEST);
  }

  async save(text: string): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    await replaceFile(this.#path, text);
  }

  async remove(): Promise<void> {
    await unlinkUnlessFolder(draftOf(this.#path));
    if (await unlinkUnlessFolder(this.#path)) await syncDirectory(dirname(this.#path));
  }
}

/** @returns false where there is nothing, or a folder, which this program cannot have made */
async function unlinkUnlessFolder(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}
