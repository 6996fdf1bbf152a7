import { statfs } from 'node:fs/promises';
import { diskOfVolume, largestDisk } from '../base/filesystem-sizes.ts';

/** What a claim requests of a Filesystem volume. */
export interface VolumeRequest {
  /** The requested capacity in bytes. */
  capacity: number;
  /** The amount by which the volume exceeds the disk, as a fraction of the disk: 0 ≤ overhead < 1. */
  filesystemOverhead: number;
}

/** The space of a Filesystem volume, in bytes. */
export interface VolumeSpace {
  /** The largest disk image that fits: by the request, or less where the file system itself occupies more. */
  largest: number;
  /** The size to which a disk image is grown, in whole MiB: the request without the overhead, or less as above. */
  usable: number;
  /** What the file system itself occupies of the request, where that limits the disk; else 0. */
  taken: number;
}

interface MeasureOptions {
  /** Bytes that the disk already occupies. */
  used?: number | undefined;
  /** Whether the overhead is only a reserve for growth: a disk that was made without it is accepted as it is. */
  overheadIsReserve?: boolean | undefined;
}

/** Measures the volume that a folder is on. */
export async function measureVolume(
  directory: string,
  request: VolumeRequest,
  options: MeasureOptions = {},
): Promise<VolumeSpace> {
  const { bavail, bsize } = await statfs(directory);
  return spaceOf(request, bavail * bsize, options);
}

/** @param free bytes that the file system has besides those that the disk already occupies */
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
