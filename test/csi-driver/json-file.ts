import { readFile, rename, writeFile } from 'node:fs/promises';
import type { z } from 'zod';

/** Replaces a file in one step: a reader, or a driver started after a crash, sees the old document or the new one. */
export async function writeJson(path: string, document: unknown): Promise<void> {
  const next = `${path}.next`;
  await writeFile(next, JSON.stringify(document));
  await rename(next, path);
}

/** Reads a document; undefined where the file does not exist. */
export async function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.infer<Schema> | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
  return schema.parse(JSON.parse(text));
}
