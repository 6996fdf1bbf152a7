import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { systemCode, TransferError } from './errors.ts';
import { CAUTIOUSLY } from './planted-files.ts';

/**
 * Opens a regular file below a folder for reading. Symbolic links are followed within the folder, and refused where
 * they lead out of it, even if they are replaced concurrently.
 *
 * @param path relative to the folder, or absolute
 * @throws TransferError SourceNotReadable
 */
export async function openConfined(folder: string, path: string): Promise<FileHandle> {
  const wanted = resolve(folder, path);
  // Checked before any lookup, so that an error does not reveal which files exist outside the folder.
  if (path.includes('\0') || !isBelow(folder, wanted)) throw outside(folder, path);
  try {
    const [root, real] = await Promise.all([realpath(folder), realpath(wanted)]);
    if (!isBelow(root, real)) throw outside(folder, path);
    return await requireFile(await open(real, constants.O_RDONLY | CAUTIOUSLY), real, () => outside(folder, path));
  } catch (error) {
    if (error instanceof TransferError) throw error;
    throw new TransferError(
      'SourceNotReadable',
      `cannot read ${path} (${systemCode(error) ?? 'failed'}): is there such a file below ${folder}?`,
      { cause: error },
    );
  }
}

async function requireFile(file: FileHandle, path: string, otherwise: () => TransferError): Promise<FileHandle> {
  try {
    // A parent folder may have been replaced by a link since the path was resolved; this is the file that was actually
    // opened.
    const isSame = (await readlink(`/proc/self/fd/${file.fd}`)) === path;
    if (isSame && (await file.stat()).isFile()) return file;
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  throw otherwise();
}

/** Compares the paths only, without accessing the file system. */
function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way.split('/', 1)[0] !== '..';
}

function outside(folder: string, path: string): TransferError {
  return new TransferError(
    'SourceNotReadable',
    `${path} is not a regular file below ${folder}, or leads out of that folder: only what is in it can be imported`,
  );
}
