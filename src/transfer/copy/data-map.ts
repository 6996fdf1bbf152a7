import type { FileHandle } from 'node:fs/promises';
import { NativeLibrary } from '../../base/native/ffi.ts';

/** Of lseek (linux/fs.h). */
const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** On this thread: it takes a microsecond, and another thread's turn takes twenty. */
const seek = NativeLibrary.bind(null, (library) => library.call('int64 lseek64(int file, int64 offset, int whence)'));

/** A part of a file, in bytes. A hole reads as zeros and has no storage. */
export interface Segment {
  offset: number;
  length: number;
  hole: boolean;
}

/**
 * The data and the holes of a file between two offsets, in order. Devices, and files whose file system does not tell, are all data.
 *
 * Moves the file's position.
 */
export function* mapData(file: FileHandle, from: number, end: number): Generator<Segment> {
  const tells = seek !== null && from < end && seek(file.fd, 0, SEEK_HOLE) >= 0;
  for (let offset = from; offset < end;) {
    // That nothing is found means that there is only a hole up to the end.
    const data = tells ? within(seek(file.fd, offset, SEEK_DATA), end) : offset;
    if (data > offset) yield { offset, length: data - offset, hole: true };
    const hole = tells && data < end ? within(seek(file.fd, data, SEEK_HOLE), end) : end;
    if (hole > data) yield { offset: data, length: hole - data, hole: false };
    offset = hole;
  }
}

function within(found: number, end: number): number {
  return found < 0 ? end : Math.min(found, end);
}
