import { closeSync, constants, openSync } from 'node:fs';
import { CAUTIOUSLY } from '../planted-files.ts';
import { NativeLibrary } from './ffi.ts';

/** The advice that a file will be read (posix_fadvise(2)). */
const WILL_NEED = 3;

/** Called on this thread, as it only begins to read. */
const advise = NativeLibrary.bind(null, (library) =>
  library.call('int posix_fadvise64(int file, int64 offset, int64 length, int advice)'),
);

/**
 * Lets the kernel read the start of a file into the page cache, and waits for nothing. Does nothing where the file
 * cannot be opened: whoever reads it finds out why.
 *
 * @param length in bytes
 */
export function readAhead(path: Buffer | string, length: number): void {
  if (advise === null) return;
  try {
    const file = openSync(path, constants.O_RDONLY | CAUTIOUSLY);
    advise(file, 0, length, WILL_NEED);
    closeSync(file);
  } catch {
    return;
  }
}
