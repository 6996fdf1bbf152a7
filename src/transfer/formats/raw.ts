import type { ByteReader } from '../bytes.ts';
import type { DecodedDisk, Extent } from '../extents.ts';

/** A raw disk is its own bytes. */
export function decodeRaw(reader: ByteReader, size: number | undefined): DecodedDisk {
  const disk: DecodedDisk = { format: 'raw', virtualSize: size, extents: extents() };
  return disk;

  async function* extents(): AsyncGenerator<Extent, void, void> {
    let offset = 0;
    for await (const data of reader.rest()) {
      yield { offset, data };
      offset += data.length;
    }
    disk.virtualSize = offset;
  }
}
