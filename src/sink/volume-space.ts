import { statfs } from 'node:fs/promises';

const MEBIBYTE = 1024 * 1024;
/** In MiB, of a quotient: less than a byte of a disk of a PiB. */
const ROUNDING = 1e-7;

/** What a claim asks of a Filesystem volume. */
export interface VolumeRequest {
  /** What was asked for, in bytes. */
  capacity: number;
  /** What the volume is larger than the disk, as a share of the disk: 0 ≤ overhead < 1. */
  filesystemOverhead: number;
}

/** What there is on a Filesystem volume, in bytes. */
export interface VolumeSpace {
  /** What was asked for, or less where the volume has less. */
  room: number;
  /**
   * The size that a disk image may have, in whole MiB: what was asked for without the overhead, or less where the file system itself has taken
   * more than that.
   */
  usable: number;
}

/**
 * Looks at the volume on which a folder is.
 *
 * @param taken what the disk takes of it already, in bytes
 */
export async function measureVolume(directory: string, request: VolumeRequest, taken = 0): Promise<VolumeSpace> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize + taken;
  return { room: Math.min(request.capacity, free), usable: usableBytes(request, free) };
}

/** @param free bytes that the file system has for the disk */
export function usableBytes({ capacity, filesystemOverhead }: VolumeRequest, free: number): number {
  const mebibytes = Math.min(capacity / (1 + filesystemOverhead), free) / MEBIBYTE;
  // What was enlarged by the overhead comes out whole again, whatever the division rounds.
  return Math.floor(mebibytes + ROUNDING) * MEBIBYTE;
}
