import type { ByteReader } from '../../../base/bytes.ts';
import { RandomAccessNeeded } from '../../../base/errors.ts';
import type { DecodedDisk, Extent } from '../../../base/extents.ts';
import type { RangeReader } from '../../../base/source.ts';
import type { DecodeOptions } from '../decode-options.ts';
import type { MappedImage } from './image.ts';
import { MappedRanges } from './ranges.ts';
import { MappedStream } from './stream.ts';

/**
 * Decodes an image: in one pass as far as its tables precede what they map, and the rest in ranges. Among the extents
 * it throws TransferError where the image is invalid or incomplete, and RandomAccessNeeded where ranges are needed but
 * not available.
 *
 * @param format name of the image's driver
 * @param reader at the start of the image
 */
export function decodeMapped(
  format: string,
  image: MappedImage,
  reader: ByteReader,
  { ranges, readsAll = false, from = 0 }: DecodeOptions,
): DecodedDisk {
  let pass: MappedStream | MappedRanges = new MappedStream(reader, image, { isWary: ranges !== undefined, from });
  return {
    format,
    virtualSize: image.size,
    get position() {
      return pass.position;
    },
    extents: extents(),
  };

  async function* extents(): AsyncGenerator<Extent, void, void> {
    try {
      yield* pass.extents();
      if (ranges === undefined || readsAll) await reader.drain();
      else await reader.close();
    } catch (error) {
      if (!(error instanceof RandomAccessNeeded) || ranges === undefined) throw error;
      if (readsAll) await reader.drain();
      await reader.close();
      pass = new MappedRanges(ranges, image, pass.position);
      yield* pass.extents();
    }
  }
}

/** Decodes an image with random access only, see {@link decodeMapped}. */
export function decodeMappedRanges(format: string, image: MappedImage, ranges: RangeReader, from = 0): DecodedDisk {
  const pass = new MappedRanges(ranges, image, from);
  return {
    format,
    virtualSize: image.size,
    get position() {
      return pass.position;
    },
    extents: pass.extents(),
  };
}
