import type { FileHandle } from 'node:fs/promises';
import { NativeLibrary } from '../../base/native/ffi.ts';

/** The `whence` of lseek for data (linux/fs.h). */
const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** Called on this thread: it takes a microsecond, while another thread would take twenty to switch to. */
const seek = NativeLibrary.bind(null, (library) => library.call('int64 lseek64(int file, int64 offset, int whence)'));

/** Part of a file, in bytes. A hole reads as zeros and has no storage. */
export interface Segment {
  offset: number;
  length: number;
  hole: boolean;
  /** Set for a hole that is not read because the target has what the file holds there. */
  isUnchanged?: true;
}

/**
 * Yields the data and the holes of a file between two offsets, in order. Devices, and files on file systems that do not
 * report holes, are all data.
 *
 * Changes the position of the file.
 */
export function* mapData(file: FileHandle, from: number, end: number): Generator<Segment> {
  const tells = seek !== null && from < end && seek(file.fd, 0, SEEK_HOLE) >= 0;
  for (let offset = from; offset < end;) {
    // Where no data is found, the rest is one hole.
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
