import type { ByteReader } from '../bytes.ts';
import { RandomAccessNeeded } from '../errors.ts';
import type { DecodedDisk } from '../extents.ts';
import type { DecodeOptions } from './decode-options.ts';
import { withoutFixedVhdFooter } from './fixed-vhd.ts';
import { decodeQcow2 } from './qcow2/decode.ts';
import { decodeRaw } from './raw.ts';
import type { DiskFormat } from './recognise.ts';
import { decodeVmdk } from './vmdk/stream.ts';

/**
 * Decodes a disk from a stream.
 *
 * @throws RandomAccessNeeded, now or among the extents, where the format or the layout cannot be read in one pass
 */
export async function decodeDisk(format: DiskFormat, reader: ByteReader, options: DecodeOptions): Promise<DecodedDisk> {
  switch (format) {
    case 'raw':
      return withoutFixedVhdFooter(decodeRaw(reader, options.size, options.from), options.size);
    case 'qcow2':
      return decodeQcow2(reader, options);
    case 'vmdk':
      return decodeVmdk(reader);
    default:
      throw new RandomAccessNeeded(`${format} cannot be decoded from a stream`);
  }
}
