import type { ByteReader } from '../bytes.ts';
import { RandomAccessNeeded } from '../errors.ts';
import type { DecodedDisk } from '../extents.ts';
import { decodeRaw } from './raw.ts';
import type { DiskFormat } from './recognise.ts';

/**
 * Decodes a disk from a stream.
 *
 * @param size of the stream, where it is known
 * @throws RandomAccessNeeded, now or among the extents, where the format or the layout cannot be read in one pass
 */
export async function decodeDisk(
  format: DiskFormat,
  reader: ByteReader,
  size: number | undefined,
): Promise<DecodedDisk> {
  switch (format) {
    case 'raw':
      return decodeRaw(reader, size);
    default:
      throw new RandomAccessNeeded(`${format} cannot be decoded from a stream`);
  }
}
