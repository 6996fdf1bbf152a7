import type { DiskSource } from '../../base/disk-source.ts';
import type { InspectedImage } from '../inspect-image.ts';

/** Describes a disk that another system serves in ranges, by the bytes of data that it has. */
export async function inspectDisk(disk: DiskSource): Promise<InspectedImage> {
  const { location, size: virtualSize } = disk;
  try {
    let size = 0;
    for await (const { length, content } of disk.ranges(0)) if (content === 'data') size += length;
    return {
      location,
      size,
      wrappers: [],
      format: 'raw',
      virtualSize,
      refusal: undefined,
      isDoubtful: false,
      labels: {},
    };
  } finally {
    await disk.close('incomplete');
  }
}
