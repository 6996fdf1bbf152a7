import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Makes the entries of a folder durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
