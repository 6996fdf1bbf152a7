import { statfs } from 'node:fs/promises';
import { diskOfVolume, largestDisk } from '../base/filesystem-sizes.ts';

/** What a claim asks of a Filesystem volume. */
export interface VolumeRequest {
  /** What was asked for, in bytes. */
  capacity: number;
  /** What the volume is larger than the disk, as a share of the disk: 0 ≤ overhead < 1. */
  filesystemOverhead: number;
}

/** What there is on a Filesystem volume, in bytes. */
export interface VolumeSpace {
  /** The largest disk image that it may have: as the request has it, or less where the file system itself has taken more. */
  largest: number;
  /** What a disk image is grown to, in whole MiB: what was asked for without the overhead, or less as above. */
  usable: number;
  /** What the file system itself has taken of what was asked for, where that is why the disk may not be larger; else 0. */
  taken: number;
}

interface MeasureOptions {
  /** What the disk takes of it already, in bytes. */
  used?: number | undefined;
  /** The overhead is only a reserve for growing into: a disk that was made without it is taken as it is. */
  overheadIsReserve?: boolean | undefined;
}

/** Looks at the volume on which a folder is. */
export async function measureVolume(
  directory: string,
  request: VolumeRequest,
  options: MeasureOptions = {},
): Promise<VolumeSpace> {
  const { bavail, bsize } = await statfs(directory);
  return spaceOf(request, bavail * bsize, options);
}

/** @param free bytes that the file system has besides what the disk takes already */
export function spaceOf(
  { capacity, filesystemOverhead }: VolumeRequest,
  free: number,
  { used = 0, overheadIsReserve = false }: MeasureOptions = {},
): VolumeSpace {
  const there = free + used;
  const allowed = overheadIsReserve ? capacity : largestDisk(capacity, filesystemOverhead);
  return {
    largest: Math.min(allowed, there),
    usable: Math.min(diskOfVolume(capacity, filesystemOverhead), diskOfVolume(there, 0)),
    taken: there < allowed ? capacity - there : 0,
  };
}
