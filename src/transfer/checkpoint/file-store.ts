import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../errors.ts';
import { draftOf, replaceFile } from '../replace-file.ts';
import { syncDirectory } from '../sinks/sync-directory.ts';
import type { CheckpointStore } from './store.ts';

/** No checkpoint is as long as this, in bytes. */
const LONGEST = 1024 * 1024;

/** A checkpoint in a file, which is replaced as a whole. Its folder is made where it is missing. */
export class FileCheckpointStore implements CheckpointStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<string | undefined> {
    try {
      const text = await readFile(this.#path, 'utf8');
      return text.length > LONGEST ? undefined : text;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async save(text: string): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    await replaceFile(this.#path, text);
  }

  async remove(): Promise<void> {
    try {
      await rm(draftOf(this.#path), { force: true });
      await rm(this.#path);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return;
      throw error;
    }
    await syncDirectory(dirname(this.#path));
  }
}
