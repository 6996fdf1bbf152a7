import type { FileHandle } from 'node:fs/promises';
import { addressOf, NativeLibrary } from './ffi.ts';

/** Of preadv2(2): reads what is in memory, and waits for nothing. */
const NOWAIT = 8;
/** Layout of struct iovec, in bytes. */
const IOVEC = { base: 0, size: 8, length: 16 } as const;

/** Called on this thread: it copies at the speed of memory, while another thread would take longer to switch to. */
const preadv2 = NativeLibrary.bind(null, (library) =>
  library.call('int64 preadv64v2(int file, void *parts, int count, int64 offset, int flags)'),
);

const iovec = Buffer.alloc(IOVEC.length);

/**
 * Reads what is in the page cache, without waiting for the disk.
 *
 * @returns the number of bytes from the start of the range; 0 also where the file system cannot tell
 */
export function readCached(file: FileHandle, buffer: Buffer, offset: number): number {
  if (preadv2 === null) return 0;
  iovec.writeBigUInt64LE(addressOf(buffer), IOVEC.base);
  iovec.writeBigUInt64LE(BigInt(buffer.length), IOVEC.size);
  return Math.max(0, preadv2(file.fd, iovec, 1, offset, NOWAIT));
}
