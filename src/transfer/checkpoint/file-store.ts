import { constants } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../errors.ts';
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
    const unfinished = `${this.#path}.new`;
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    const file = await open(unfinished, flags, 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, this.#path);
    await syncDirectory(dirname(this.#path));
  }

  async remove(): Promise<void> {
    try {
      await rm(`${this.#path}.new`, { force: true });
      await rm(this.#path);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return;
      throw error;
    }
    await syncDirectory(dirname(this.#path));
  }
}
