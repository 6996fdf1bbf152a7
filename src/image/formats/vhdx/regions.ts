import { entriesOf } from './entries.ts';
import { failures } from './failures.ts';
import { hasChecksum } from './headers.ts';

const tablesAt = [192 * 1024, 256 * 1024];
const TABLE_LENGTH = 64 * 1024;
const TABLE_HEADER = 16;
const REQUIRED = 1;
/** The header section has one mebibyte. */
const FIRST_OFFSET = 1024 * 1024;
const id = { bat: '6677c22d23f600429d64115e9bfd4a08', metadata: '06a27c8b90479a4bb8fe575f050f886e' };

/** A part of the file, in bytes. */
export interface Region {
  offset: number;
  length: number;
}

/** The regions; names are those of [MS-VHDX] section 2.2.3. */
export interface Regions {
  bat: Region;
  metadata: Region;
}

/**
 * Parses the first undamaged region table.
 *
 * @param bytes the first HEADERS_LENGTH bytes of the image
 * @throws TransferError InvalidImage, UnsupportedImage
 */
export function parseRegions(bytes: Buffer): Regions {
  const tables = tablesAt.map((at) => bytes.subarray(at, at + TABLE_LENGTH));
  const table = tables.find((each) => hasChecksum(each, 'regi'));
  if (table === undefined) throw failures.invalid('its region tables are damaged');
  const found = new Map<string, Region>();
  for (const entry of entriesOf(table, TABLE_HEADER, table.readUInt32LE(8))) {
    const region = { offset: Number(entry.bytes.readBigUInt64LE(16)), length: entry.bytes.readUInt32LE(24) };
    const isKnown = entry.id === id.bat || entry.id === id.metadata;
    if (!isKnown && (entry.bytes.readUInt32LE(28) & REQUIRED) !== 0) {
      throw failures.unsupported('has a region that is required and not known');
    }
    if (isKnown && (region.offset < FIRST_OFFSET || !Number.isSafeInteger(region.offset) || found.has(entry.id))) {
      throw failures.invalid('its regions are at no possible places');
    }
    found.set(entry.id, region);
  }
  const [bat, metadata] = [found.get(id.bat), found.get(id.metadata)];
  if (bat === undefined || metadata === undefined) throw failures.invalid('it lacks a region');
  return { bat, metadata };
}
