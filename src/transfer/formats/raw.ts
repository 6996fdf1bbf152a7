import type { ByteReader } from '../bytes.ts';
import { TransferError } from '../errors.ts';
import type { DecodedDisk, Extent } from '../extents.ts';

/**
 * A raw disk is its own bytes.
 *
 * @param from where to begin, in bytes
 */
export function decodeRaw(reader: ByteReader, size: number | undefined, from = 0): DecodedDisk {
  const disk: DecodedDisk = { format: 'raw', virtualSize: size, position: from, extents: extents() };
  return disk;

  async function* extents(): AsyncGenerator<Extent, void, void> {
    if ((await reader.skip(from)) < from) {
      throw new TransferError('TruncatedImage', `the disk ends before byte ${from}, up to which it was read before`);
    }
    let offset = from;
    for await (const data of reader.rest()) {
      disk.position = offset + data.length;
      yield { offset, data };
      offset += data.length;
    }
    if (size !== undefined && offset < size) {
      throw new TransferError('TruncatedImage', `the disk ends after ${offset} bytes of ${size}`);
    }
    disk.virtualSize = offset;
  }
}
