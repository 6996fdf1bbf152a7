import type { FileHandle } from 'node:fs/promises';
import { setImmediate as otherWork } from 'node:timers/promises';
import { NativeLibrary } from '../base/native/ffi.ts';
import type { Range } from './range-set.ts';

/** Flags of fallocate(2), in linux/falloc.h. */
const KEEP_SIZE = 0x01;
const PUNCH_HOLE = 0x02;
const ZERO_RANGE = 0x10;

/** Bytes that are zeroed at once: it happens on this thread, and takes up to some milliseconds. */
const STEP = 256 * 1024 * 1024;

const fallocate = NativeLibrary.bind(null, (library) =>
  library.call('int fallocate64(int file, int mode, int64 offset, int64 length)'),
);

/**
 * Makes a range of a file or a device read as zeros without writing to it.
 *
 * @param keepsStorage whether the storage of the range stays reserved; otherwise it is given back
 * @returns false where that is not supported, and part of the range may be as it was
 */
export async function zeroWithoutWriting(
  file: FileHandle,
  { start, end }: Range,
  { keepsStorage }: { keepsStorage: boolean },
): Promise<boolean> {
  if (fallocate === null) return false;
  const mode = KEEP_SIZE | (keepsStorage ? ZERO_RANGE : PUNCH_HOLE);
  for (let at = start; at < end; at += STEP) {
    if (at > start) await otherWork();
    if (fallocate(file.fd, mode, at, Math.min(STEP, end - at)) !== 0) return false;
  }
  return true;
}
