import type { ByteReader } from '../bytes.ts';
import type { DecodedDisk } from '../extents.ts';
import type { DecodeOptions } from './decode-options.ts';
import { withoutFixedVhdFooter } from './fixed-vhd.ts';
import { decodeMapped } from './mapped/decode.ts';
import { openMapped } from './open-mapped.ts';
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
    case 'vmdk':
      return decodeVmdk(reader);
    default:
      return decodeMapped(await openMapped(format, (length) => reader.peek(length)), reader, options);
  }
}
