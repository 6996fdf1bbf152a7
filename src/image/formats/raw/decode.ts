import type { ByteReader } from '../../../base/bytes.ts';
import { TransferError } from '../../../base/errors.ts';
import type { DecodedDisk, Extent } from '../../../base/extents.ts';

/**
 * Decodes a raw disk, which is passed on as it is.
 *
 * @param from offset in bytes at which to begin
 */
export function decodeRaw(reader: ByteReader, size: number | undefined, from = 0): DecodedDisk {
  const disk: DecodedDisk = { format: 'raw', isVerbatim: true, virtualSize: size, position: from, extents: extents() };
  return disk;

  async function* extents(): AsyncGenerator<Extent, void, void> {
    const before = Math.max(0, from - reader.position);
    if ((await reader.skip(before)) < before) {
      throw new TransferError('TruncatedImage', `the disk ends before byte ${from}, up to which it was read before`);
    }
    let end = from;
    try {
      for await (const { offset, data, complete } of reader.pieces()) {
        disk.position = complete;
        end = Math.max(end, offset + data.length);
        if (data.length > 0) yield { offset, data };
      }
    } finally {
      await reader.close();
    }
    if (size !== undefined && end < size) {
      throw new TransferError('TruncatedImage', `the disk ends after ${end} bytes of ${size}`);
    }
    disk.virtualSize = end;
  }
}
