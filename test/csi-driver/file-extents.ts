import { open } from 'node:fs/promises';
import { NativeLibrary } from '../../src/base/native/ffi.ts';

/** Part of a file that has storage, in bytes. */
export interface FileExtent {
  readonly offset: number;
  readonly length: number;
  /** Where it is on the filesystem's device: files that share storage have the same. */
  readonly physical: number;
  /** Whether it is only reserved, and reads as zeros. */
  readonly isUnwritten: boolean;
}

/** The request of ioctl(2), and the layout of its structs, in linux/fiemap.h. */
const FS_IOC_FIEMAP = 0xc020660bn;
const FLAG_SYNC = 1;
const EXTENT_LAST = 0x1;
const EXTENT_UNWRITTEN = 0x800;
const HEADER_LENGTH = 32;
const EXTENT_LENGTH = 56;
const EXTENTS_AT_ONCE = 1024;

const ioctl = NativeLibrary.bind(null, (library) =>
  library.call('int ioctl(int file, uint64 request, void* argument)'),
);

/** Returns what of a file has storage, ascending; what was written to it is brought to its device first. */
export async function fileExtents(path: string): Promise<FileExtent[]> {
  if (ioctl === null) throw new Error('FIEMAP needs koffi');
  const file = await open(path, 'r');
  try {
    await file.sync();
    const extents: FileExtent[] = [];
    const map = Buffer.alloc(HEADER_LENGTH + EXTENTS_AT_ONCE * EXTENT_LENGTH);
    for (let from = 0; ;) {
      map.fill(0, 0, HEADER_LENGTH);
      map.writeBigUInt64LE(BigInt(from), 0);
      map.writeBigUInt64LE(2n ** 63n - 1n - BigInt(from), 8);
      map.writeUInt32LE(FLAG_SYNC, 16);
      map.writeUInt32LE(EXTENTS_AT_ONCE, 24);
      if (ioctl(file.fd, FS_IOC_FIEMAP, map) !== 0) throw new Error(`the extents of ${path} cannot be read`);
      const count = map.readUInt32LE(20);
      for (let index = 0; index < count; index += 1) extents.push(readExtent(map, index));
      const last = extents.at(-1);
      if (count === 0 || last === undefined || flagsOf(map, count - 1) & EXTENT_LAST) return extents;
      from = last.offset + last.length;
    }
  } finally {
    await file.close();
  }
}

function readExtent(map: Buffer, index: number): FileExtent {
  const at = HEADER_LENGTH + index * EXTENT_LENGTH;
  return {
    offset: Number(map.readBigUInt64LE(at)),
    physical: Number(map.readBigUInt64LE(at + 8)),
    length: Number(map.readBigUInt64LE(at + 16)),
    isUnwritten: (flagsOf(map, index) & EXTENT_UNWRITTEN) !== 0,
  };
}

function flagsOf(map: Buffer, index: number): number {
  return map.readUInt32LE(HEADER_LENGTH + index * EXTENT_LENGTH + 40);
}
