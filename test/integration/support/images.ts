import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { run } from './processes.ts';

const MEBIBYTE = 1024 * 1024;

/** Bytes that look random and are the same in every run. */
export function noise(seed: string, length: number): Buffer {
  return createHash('shake256', { outputLength: length }).update(seed).digest();
}

/** A sparse raw disk with some data at odd places. */
export async function writeRawDisk(path: string, size = 64 * MEBIBYTE): Promise<void> {
  const disk = await open(path, 'w');
  await disk.truncate(size);
  await disk.write(noise('start', 3_000_000), 0, 3_000_000, 1_234_567);
  await disk.write(Buffer.alloc(500_000, 'compressible '), 0, 500_000, 20 * MEBIBYTE);
  await disk.write(noise('end', 100_000), 0, 100_000, size - 5 * MEBIBYTE + 1);
  await disk.close();
}

/** Whether two raw disks read the same; a longer one must go on with zeros. */
export async function sameDisk(one: string, other: string): Promise<boolean> {
  const { stdout } = await run('qemu-img', ['compare', '-f', 'raw', '-F', 'raw', one, other]);
  return /identical/i.test(stdout);
}
