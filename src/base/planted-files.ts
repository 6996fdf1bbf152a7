import { constants, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { systemCode } from './errors.ts';

/**
 * For whatever is opened on a volume that somebody else could have written to: a link does not lead elsewhere, and a pipe or a
 * device does not make the system wait. What was opened has still to be looked at.
 */
export const CAUTIOUSLY = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Of a path where there is no file to read, but nothing, a link, a folder, a socket, or what is somebody else's. */
const noFile = new Set(['ENOENT', 'ELOOP', 'ENXIO', 'ENODEV', 'ENOTDIR', 'EACCES']);

/**
 * Opens a regular file to read it.
 *
 * @returns undefined where something else is there, or nothing
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
 * The text of a small file.
 *
 * @param longest in bytes
 * @returns undefined where no regular file is there, or a longer one
 */
export async function readSmallFile(path: string, longest: number): Promise<string | undefined> {
  const file = await openRegularFile(path);
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    if (size > longest) return undefined;
    // It may grow meanwhile.
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

export function isDisk(stats: Stats): boolean {
  return stats.isFile() || stats.isBlockDevice();
}
