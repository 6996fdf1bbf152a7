import type { DiskSource } from '../../base/disk-source.ts';
import type { DecodedDisk, Extent } from '../../base/extents.ts';
import { finish, type ImportedImage } from '../import/finish.ts';
import { type ImportTarget, writeDisk } from '../import/write-disk.ts';

export interface ImportDiskOptions extends ImportTarget {
  disk: DiskSource;
}

/**
 * Imports a disk that another system serves in ranges.
 *
 * @throws TransferError
 */
export async function importDisk({ disk, ...target }: ImportDiskOptions): Promise<ImportedImage> {
  const { size } = disk;
  let outcome: 'complete' | 'incomplete' = 'incomplete';
  try {
    await target.sink.begin(size);
    const written = await writeDisk({ format: 'raw', virtualSize: size, extents: dataOf(disk) }, target);
    const image = await finish(written, target);
    outcome = 'complete';
    return image;
  } finally {
    await disk.close(outcome);
  }
}

async function* dataOf(disk: DiskSource): DecodedDisk['extents'] {
  for await (const { offset, length, content } of disk.ranges(0)) {
    if (content !== 'data') continue;
    for (let at = offset; at < offset + length; at += disk.largestRead) {
      const data = Buffer.allocUnsafe(Math.min(disk.largestRead, offset + length - at));
      await disk.read(at, data);
      yield { offset: at, data } satisfies Extent;
    }
  }
}
