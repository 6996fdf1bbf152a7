import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { readJson, writeJson } from './json-file.ts';

const RECORD = 'record.json';

/** Folders of a kind (volumes, snapshots), each with a record and a content, that appear and vanish in one step. */
export class EntryStore<Entry extends { id: string }> {
  readonly #directory: string;
  readonly #work: string;
  readonly #schema: z.ZodType<Entry>;

  /**
   * @param directory holds an entry's folder under its identifier
   * @param work for entries that are being made or removed; on the same filesystem
   */
  constructor(directory: string, work: string, schema: z.ZodType<Entry>) {
    this.#directory = directory;
    this.#work = work;
    this.#schema = schema;
  }

  /** The path of an entry's content: a folder or an image file. */
  contentPath(id: string): string {
    return join(this.#directory, id, 'content');
  }

  /** The entry, or undefined; identifiers that this driver never gives out are simply unknown. */
  async get(id: string): Promise<Entry | undefined> {
    return /^[a-z0-9-]+$/.test(id) ? readJson(join(this.#directory, id, RECORD), this.#schema) : undefined;
  }

  /** All entries in the order of their identifiers. */
  async list(): Promise<Entry[]> {
    const entries = await Promise.all((await readdir(this.#directory)).sort().map((id) => this.get(id)));
    return entries.filter((entry) => entry !== undefined);
  }

  /** Makes an entry whose content is whatever `makeContent` leaves at the path that it is given. */
  async create(entry: Entry, makeContent: (path: string) => Promise<void>): Promise<void> {
    const folder = join(this.#work, randomUUID());
    await mkdir(folder);
    try {
      await makeContent(join(folder, 'content'));
      await writeJson(join(folder, RECORD), entry);
      await rename(folder, join(this.#directory, entry.id));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  async replace(entry: Entry): Promise<void> {
    await writeJson(join(this.#directory, entry.id, RECORD), entry);
  }

  async remove(id: string): Promise<void> {
    const folder = join(this.#work, randomUUID());
    await rename(join(this.#directory, id), folder);
    await rm(folder, { recursive: true, force: true });
  }
}
