import type { ByteReader } from '../bytes.ts';
import type { DecodedDisk } from '../extents.ts';
import type { DecodeOptions } from './decode-options.ts';
import { withoutFixedVhdFooter } from './vhd/fixed.ts';
import { decodeMapped } from './mapped/decode.ts';
import type { ReadHead } from './mapped/image.ts';
import { openMapped } from './open-mapped.ts';
import { decodeRaw } from './raw.ts';
import type { DiskFormat } from './recognise.ts';
import { readHeader } from './vmdk/descriptor.ts';
import { mappedVmdk } from './vmdk/image.ts';
import { decodeStreamOptimized } from './vmdk/stream.ts';

/**
 * Decodes a disk from a stream.
 *
 * @throws RandomAccessNeeded, now or among the extents, where the format or the layout cannot be read in one pass
 */
export async function decodeDisk(format: DiskFormat, reader: ByteReader, options: DecodeOptions): Promise<DecodedDisk> {
  if (format === 'raw') return withoutFixedVhdFooter(decodeRaw(reader, options.size, options.from), options.size);
  const readHead: ReadHead = (length) => reader.peek(length);
  if (format === 'vmdk') {
    const header = await readHeader(readHead);
    if (header.isCompressed) return decodeStreamOptimized(reader, header);
    return decodeMapped(mappedVmdk(header), reader, options);
  }
  return decodeMapped(await openMapped(format, readHead), reader, options);
}
