import type { ByteReader } from '../../../base/bytes.ts';
import { RandomAccessNeeded } from '../../../base/errors.ts';
import type { DecodedDisk, Extent } from '../../../base/extents.ts';
import type { RangeReader } from '../../../base/source.ts';
import type { DecodeOptions } from '../decode-options.ts';
import type { MappedImage } from './image.ts';
import { MappedRanges } from './ranges.ts';
import { MappedStream } from './stream.ts';

/**
 * Decodes an image: in one pass as far as its tables come before what they map, and the rest piece by piece. Among the
 * extents it throws TransferError where the image is invalid or incomplete, and RandomAccessNeeded where that is needed and
 * there are no ranges.
 *
 * @param format the image's, as its driver names it
 * @param reader at the image's start
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

/** The same without a stream. */
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
