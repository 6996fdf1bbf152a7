import type { ByteReader } from '../bytes.ts';
import { RandomAccessNeeded } from '../errors.ts';
import type { DecodedDisk } from '../extents.ts';
import { decodeQcow2 } from './qcow2/stream.ts';
import { decodeRaw } from './raw.ts';
import type { DiskFormat } from './recognise.ts';

/**
 * Decodes a disk from a stream.
 *
 * @param size of the stream, where it is known
 * @param from a position that an earlier decoder of the same stream had come to: extents of before are left out
 * @throws RandomAccessNeeded, now or among the extents, where the format or the layout cannot be read in one pass
 */
export async function decodeDisk(
  format: DiskFormat,
  reader: ByteReader,
  size: number | undefined,
  from = 0,
): Promise<DecodedDisk> {
  switch (format) {
    case 'raw':
      return decodeRaw(reader, size, from);
    case 'qcow2':
      return decodeQcow2(reader, from);
    default:
      throw new RandomAccessNeeded(`${format} cannot be decoded from a stream`);
  }
}
