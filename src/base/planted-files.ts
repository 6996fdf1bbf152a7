import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { systemCode } from './errors.ts';

/**
 * Flags for opening anything on a volume that somebody else could have written to: links are not followed, and pipes
 * and devices do not block. The opened file still has to be checked.
 */
export const CAUTIOUSLY = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Errors of a path that has no readable file: it is missing, a link, a folder, a socket, or not accessible. */
const noFile = new Set(['ENOENT', 'ELOOP', 'ENXIO', 'ENODEV', 'ENOTDIR', 'EACCES']);

/**
 * Opens a regular file for reading.
 *
 * @returns undefined where it is missing or not a regular file
 */
export async function openRegularFile(path: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | CAUTIOUSLY);
  } catch (error) {
    if (noFile.has(systemCode(error) ?? '')) return undefined;
    throw error;
  }
  try {
    if ((await file.stat()).isFile()) return file;
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return undefined;
}

/**
 * Reads the text of a small file.
 *
 * @param longest in bytes
 * @returns undefined where there is no regular file, or a longer one
 */
export async function readSmallFile(path: string, longest: number): Promise<string | undefined> {
  const file = await openRegularFile(path);
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    if (size > longest) return undefined;
    // The file may grow meanwhile.
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

export function isDisk(stats: Stats): boolean {
  return stats.isFile() || stats.isBlockDevice();
}
