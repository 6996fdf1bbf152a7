import { parseMap } from '../mapped/block-map.ts';
import type { MappedImage, ReadAt } from '../mapped/image.ts';
import { type PieceRun, RunBuilder } from '../mapped/pieces.ts';
import { ENTRY, readableDirectoryLength, ZERO_GRAIN } from './grain-tables.ts';
import { failures, HEADER_LENGTH, SECTOR, type SparseHeader } from './header.ts';

/**
 * Maps a sparse VMDK without compression.
 *
 * @throws TransferError InvalidImage
 * @throws RandomAccessNeeded for VMDKs of other kinds
 */
export function mappedVmdk(header: SparseHeader): MappedImage {
  const { grainDirectoryOffset, isCompressed, capacity, grainSize, overhead } = header;
  if (isCompressed) throw failures.needsRandomAccess('is compressed');
  if (grainDirectoryOffset === undefined) throw failures.needsRandomAccess('has its directory at its end');
  if (grainDirectoryOffset < HEADER_LENGTH) throw failures.invalid('its grain directory lies in its header');
  const directoryLength = readableDirectoryLength(header);
  const map = { entryLength: ENTRY, size: capacity, blockSize: grainSize };
  return {
    size: capacity,
    lead: 0,
    dataStart: overhead,
    failures,
    readTables: (read) => readDirectory(header, grainDirectoryOffset, directoryLength, read),
    parseTable: (table, guest) =>
      parseMap(map, table, guest, (at) => {
        const sector = table.readUInt32LE(at);
        return sector > ZERO_GRAIN ? sector * SECTOR : undefined;
      }),
  };
}

async function readDirectory(header: SparseHeader, start: number, length: number, read: ReadAt): Promise<PieceRun> {
  const { grainSize, entriesPerGrainTable } = header;
  const directory = await read(start, length);
  const tables = new RunBuilder();
  for (let index = 0; index * ENTRY < length; index += 1) {
    const place = directory.readUInt32LE(index * ENTRY) * SECTOR;
    if (place === 0) continue;
    tables.addWhole(place, index * entriesPerGrainTable * grainSize, entriesPerGrainTable * ENTRY);
  }
  return tables.finish();
}
