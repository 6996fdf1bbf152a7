import type { ByteReader } from '../../base/bytes.ts';
import type { DecodedDisk } from '../../base/extents.ts';
import type { DecodeOptions } from './decode-options.ts';
import { END_LENGTH, checkedAtEnd } from './raw-end.ts';
import { withoutFixedVhdFooter } from './vhd/fixed.ts';
import { beginsWithFooter } from './vhd/footer.ts';
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
  if (format === 'raw') return decodeLikeRaw(reader, options);
  const readHead: ReadHead = (length) => reader.peek(length);
  if (format === 'vpc' && !beginsWithFooter(await readHead(END_LENGTH))) {
    return withoutFixedVhdFooter(decodeRaw(reader, options.size, options.from), options.size, 'has one');
  }
  if (format === 'vmdk') {
    const header = await readHeader(readHead);
    if (header.isCompressed) return decodeStreamOptimized(reader, header);
    return decodeMapped(mappedVmdk(header), reader, options);
  }
  return decodeMapped(await openMapped(format, readHead), reader, options);
}

/** What somebody calls raw is taken as it is. */
function decodeLikeRaw(reader: ByteReader, { size, guess, from = 0 }: DecodeOptions): DecodedDisk {
  if (guess === undefined) return decodeRaw(reader, size, from);
  const raw = decodeRaw(reader, size, Math.max(0, from - END_LENGTH));
  return withoutFixedVhdFooter(checkedAtEnd(raw, guess, from), size, 'may have one');
}
