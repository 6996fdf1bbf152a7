import { createCipheriv } from 'node:crypto';
import { open } from 'node:fs/promises';

const CHUNK = 4 * 1024 * 1024;
const KIBIBYTE = 1024;

/**
 * What a disk is full of, by how well it compresses, in pieces of so many bytes of which the first are zeros, and the
 * rest random.
 */
const pieces = {
  zeros: { length: 64 * KIBIBYTE, zeros: 64 * KIBIBYTE },
  /** To a quarter. */
  quarter: { length: 4 * KIBIBYTE, zeros: 3 * KIBIBYTE },
  half: { length: 4 * KIBIBYTE, zeros: 2 * KIBIBYTE },
  /**
   * Just enough for each cluster of 64 KiB, or of more, to be compressed, but to nearly its size; of those of 4 KiB,
   * one in 16.
   */
  hardly: { length: 64 * KIBIBYTE, zeros: 200 },
  random: { length: 64 * KIBIBYTE, zeros: 0 },
} as const;

export type DiskData = keyof typeof pieces;
export const kindsOfData = Object.keys(pieces) as DiskData[];

/**
 * Makes a raw disk that is full of one kind of data, the same each time.
 *
 * @param size in bytes, a multiple of 4 MiB
 */
export async function writeDiskOf(data: DiskData, path: string, size: number): Promise<void> {
  const { length, zeros } = pieces[data];
  const file = await open(path, 'w');
  try {
    await file.truncate(size);
    // Zeros, encrypted with a fixed key.
    const random = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
    const nothing = Buffer.alloc(CHUNK);
    for (let offset = 0; zeros < length && offset < size; offset += CHUNK) {
      const chunk = random.update(nothing);
      for (let at = 0; at < CHUNK; at += length) chunk.fill(0, at, at + zeros);
      await file.write(chunk, 0, CHUNK, offset);
    }
  } finally {
    await file.close();
  }
}
