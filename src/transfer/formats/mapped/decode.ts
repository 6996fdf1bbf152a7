import type { ByteReader } from '../../bytes.ts';
import { RandomAccessNeeded } from '../../errors.ts';
import type { DecodedDisk, Extent } from '../../extents.ts';
import type { RangeReader } from '../../source.ts';
import type { DecodeOptions } from '../decode-options.ts';
import { HEADER_AREA, parseHeader } from './header.ts';
import { Qcow2Ranges } from './ranges.ts';
import { Qcow2Stream } from './stream.ts';

/**
 * Decodes a qcow2 image: in one pass as far as its tables come before what they map, and the rest piece by piece.
 *
 * @throws TransferError for images that are invalid, incomplete or need other files
 * @throws RandomAccessNeeded, among the extents, where that is needed and there are no ranges
 */
export async function decodeQcow2(
  reader: ByteReader,
  { ranges, readsAll, from = 0 }: DecodeOptions,
): Promise<DecodedDisk> {
  const header = parseHeader(await reader.peek(HEADER_AREA));
  let pass: Qcow2Stream | Qcow2Ranges = new Qcow2Stream(reader, header, { isWary: ranges !== undefined, from });
  return {
    format: 'qcow2',
    virtualSize: header.size,
    get position() {
      return pass.position;
    },
    extents: extents(),
  };

  async function* extents(): AsyncGenerator<Extent, void, void> {
    try {
      yield* pass.extents();
      await reader.skip(Math.max(0, from - 1 - reader.position));
      await reader.drain();
    } catch (error) {
      if (!(error instanceof RandomAccessNeeded) || ranges === undefined) throw error;
      if (readsAll) await reader.drain();
      await reader.close();
      pass = new Qcow2Ranges(ranges, header, pass.position);
      yield* pass.extents();
    }
  }
}

/** The same without a stream. */
export async function decodeQcow2Ranges(ranges: RangeReader, from = 0): Promise<DecodedDisk> {
  const header = parseHeader(await ranges.read(0, Math.min(HEADER_AREA, ranges.size)));
  const pass = new Qcow2Ranges(ranges, header, from);
  return {
    format: 'qcow2',
    virtualSize: header.size,
    get position() {
      return pass.position;
    },
    extents: pass.extents(),
  };
}
