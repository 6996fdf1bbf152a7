import { statfs } from 'node:fs/promises';

const MEBIBYTE = 1024 * 1024;

/** What a claim asks of a Filesystem volume. */
export interface VolumeRequest {
  /** What was asked for, in bytes. */
  capacity: number;
  /** The share that the disk must leave free, 0 ≤ overhead < 1. */
  filesystemOverhead: number;
}

/** What there is on a Filesystem volume, in bytes. */
export interface VolumeSpace {
  /** What was asked for, or less where the volume has less. */
  room: number;
  /** The size that a disk image may have: the room without the overhead, in whole MiB. */
  usable: number;
}

/**
 * Looks at the volume on which a folder is.
 *
 * @param taken what the disk takes of it already, in bytes
 */
export async function measureVolume(directory: string, request: VolumeRequest, taken = 0): Promise<VolumeSpace> {
  const { bavail, bsize } = await statfs(directory);
  const room = Math.min(request.capacity, bavail * bsize + taken);
  return { room, usable: Math.floor(((1 - request.filesystemOverhead) * room) / MEBIBYTE) * MEBIBYTE };
}
