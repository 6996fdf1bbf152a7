import { RandomAccessNeeded } from '../../base/errors.ts';
import type { DecodedDisk } from '../../base/extents.ts';
import type { RangeReader } from '../../base/source.ts';
import { decodeMappedRanges } from './mapped/decode.ts';
import type { MappedImage, ReadHead } from './mapped/image.ts';
import { openQcow2 } from './qcow2/image.ts';
import type { DiskFormat } from './recognise.ts';
import { openVdi } from './vdi/image.ts';
import { openVhd } from './vhd/image.ts';
import { openVhdx } from './vhdx/image.ts';
import { readHeader } from './vmdk/descriptor.ts';
import { mappedVmdk } from './vmdk/image.ts';

/**
 * Reads an image's header.
 *
 * @throws TransferError for images that are invalid, incomplete or need other files
 * @throws RandomAccessNeeded where somebody else has to decode it
 */
export async function openMapped(format: DiskFormat, readHead: ReadHead): Promise<MappedImage> {
  switch (format) {
    case 'qcow2':
      return openQcow2(readHead);
    case 'vdi':
      return openVdi(readHead);
    case 'vhdx':
      return openVhdx(readHead);
    case 'vpc':
      return openVhd(readHead);
    case 'vmdk':
      return mappedVmdk(await readHeader(readHead));
    default:
      throw new RandomAccessNeeded(`${format} cannot be decoded from a stream`);
  }
}

/** Decodes an image without a stream; undefined where somebody else has to. Throws as {@link openMapped} does. */
export async function decodeRanges(
  format: DiskFormat,
  ranges: RangeReader,
  from = 0,
): Promise<DecodedDisk | undefined> {
  try {
    const image = await openMapped(format, (length) => ranges.read(0, Math.min(length, ranges.size)));
    return decodeMappedRanges(image, ranges, from);
  } catch (error) {
    if (error instanceof RandomAccessNeeded) return undefined;
    throw error;
  }
}
