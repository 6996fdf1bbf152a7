import { RandomAccessNeeded } from '../../errors.ts';
import type { MappedImage, ReadAt } from '../mapped/image.ts';
import { RunBuilder, type PieceRun } from '../mapped/pieces.ts';
import { ENTRY, LARGEST_DIRECTORY, ZERO_GRAIN, tableCount } from './grain-tables.ts';
import { HEADER_LENGTH, SECTOR, failures, type SparseHeader } from './header.ts';

/**
 * A sparse VMDK without compression.
 *
 * @throws TransferError InvalidImage
 * @throws RandomAccessNeeded for VMDKs of other kinds
 */
export function mappedVmdk(header: SparseHeader): MappedImage {
  const { grainDirectoryOffset, isCompressed, capacity, overhead } = header;
  if (isCompressed) throw new RandomAccessNeeded('the VMDK image is compressed');
  if (grainDirectoryOffset === undefined) throw new RandomAccessNeeded('the VMDK image has its directory at its end');
  if (grainDirectoryOffset < HEADER_LENGTH) throw failures.invalid('its grain directory lies in its header');
  if (tableCount(header) * ENTRY > LARGEST_DIRECTORY) {
    throw new RandomAccessNeeded('the VMDK image has a very large grain directory');
  }
  return {
    format: 'vmdk',
    size: capacity,
    lead: 0,
    dataStart: overhead,
    failures,
    readTables: (read) => readDirectory(header, grainDirectoryOffset, read),
    parseTable: (table, guest) => parseGrainTable(table, guest, header),
  };
}

async function readDirectory(header: SparseHeader, start: number, read: ReadAt): Promise<PieceRun> {
  const { grainSize, entriesPerGrainTable } = header;
  const length = tableCount(header) * ENTRY;
  const directory = await read(start, length);
  const tables = new RunBuilder();
  for (let index = 0; index * ENTRY < length; index += 1) {
    const place = directory.readUInt32LE(index * ENTRY) * SECTOR;
    if (place === 0) continue;
    tables.addWhole(place, index * entriesPerGrainTable * grainSize, entriesPerGrainTable * ENTRY);
  }
  return tables.finish();
}

function parseGrainTable(table: Buffer, start: number, { grainSize, capacity }: SparseHeader): PieceRun {
  const pieces = new RunBuilder();
  for (let at = 0, guest = start; at < table.length && guest < capacity; at += ENTRY, guest += grainSize) {
    const sector = table.readUInt32LE(at);
    if (sector > ZERO_GRAIN) pieces.addPlain(sector * SECTOR, guest, Math.min(grainSize, capacity - guest));
  }
  return pieces.finish();
}
