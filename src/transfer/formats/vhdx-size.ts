import type { RangeReader } from '../source.ts';

const REGION_TABLE = 192 * 1024;
const TABLE_LENGTH = 64 * 1024;
const ENTRY = 32;
const MOST_ENTRIES = 2047;
/** GUIDs as they are stored: of the metadata region, and of the item Virtual Disk Size. */
const METADATA_REGION = Buffer.from('06a27c8b90479a4bb8fe575f050f886e', 'hex');
const VIRTUAL_DISK_SIZE = Buffer.from('2442a52f1bcd7648b2115dbed83bf4b8', 'hex');

/** The size of a VHDX's disk ([MS-VHDX] sections 2.2.3 and 2.6); undefined where its tables do not tell. */
export async function readVhdxSize(ranges: RangeReader): Promise<number | undefined> {
  const regions = await readUpTo(ranges, REGION_TABLE, TABLE_LENGTH);
  const region = findEntry(regions, 16, regions.length < 16 ? 0 : regions.readUInt32LE(8), METADATA_REGION);
  if (region === undefined) return undefined;
  const start = Number(region.readBigUInt64LE(16));
  const table = await readUpTo(ranges, start, TABLE_LENGTH);
  const item = findEntry(table, ENTRY, table.length < ENTRY ? 0 : table.readUInt16LE(10), VIRTUAL_DISK_SIZE);
  if (item === undefined) return undefined;
  const value = await readUpTo(ranges, start + item.readUInt32LE(16), 8);
  return value.length < 8 ? undefined : Number(value.readBigUInt64LE(0));
}

function findEntry(table: Buffer, start: number, count: number, id: Buffer): Buffer | undefined {
  for (let index = 0; index < Math.min(count, MOST_ENTRIES); index += 1) {
    const entry = table.subarray(start + index * ENTRY, start + (index + 1) * ENTRY);
    if (entry.length === ENTRY && entry.subarray(0, id.length).equals(id)) return entry;
  }
  return undefined;
}

async function readUpTo(ranges: RangeReader, offset: number, length: number): Promise<Buffer> {
  const available = Math.min(length, ranges.size - offset);
  return available > 0 ? ranges.read(offset, available) : Buffer.alloc(0);
}
