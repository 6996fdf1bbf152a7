import { isBlockSize } from '../block-size.ts';
import { entriesOf } from './entries.ts';
import { failures } from './failures.ts';

/** Longest metadata region in bytes; anything after that is ignored. */
export const LONGEST_METADATA = 1024 * 1024;

const TABLE_LENGTH = 64 * 1024;
const TABLE_HEADER = 32;
const REQUIRED = 4;
const LONGEST_ITEM = 8;
const SECTOR = 512;
const SMALLEST_BLOCK = 1024 * 1024;
const LARGEST_BLOCK = 256 * 1024 * 1024;
const LARGEST_DISK = 64 * 1024 ** 4;
/** Number of sectors that one block of a sector bitmap describes. */
const SECTORS_PER_CHUNK = 2 ** 23;
const flag = { leaveBlockAllocated: 1, hasParent: 2 };
const id = {
  fileParameters: '3767a1ca36fa434db3b633f0aa44e76b',
  virtualDiskSize: '2442a52f1bcd7648b2115dbed83bf4b8',
  virtualDiskId: 'ab12cabee6b2234593efc309e000c746',
  logicalSectorSize: '1dbf41816fa90947ba47f233a8faab5f',
  physicalSectorSize: 'c748a3cd5d4471449cc9e9885251c556',
  parentLocator: '2d5fd3a80bb34d45abf7d3d84834ab0c',
};
const known = new Set(Object.values(id));

/** The metadata; names are those of [MS-VHDX] section 2.6. Sizes are in bytes. */
export interface Metadata {
  /** Size of the disk, in whole sectors. */
  size: number;
  blockSize: number;
  /** Number of blocks between two entries for sector bitmaps. */
  chunkRatio: number;
  isFixed: boolean;
  hasParent: boolean;
}

/**
 * Parses and validates the metadata.
 *
 * @param region the metadata region of the file, or its first LONGEST_METADATA bytes
 * @throws TransferError InvalidImage, UnsupportedImage
 */
export function parseMetadata(region: Buffer): Metadata {
  if (region.length < TABLE_LENGTH || region.toString('latin1', 0, 8) !== 'metadata') {
    throw failures.invalid('its metadata is damaged');
  }
  const items = new Map<string, Buffer>();
  for (const entry of entriesOf(region.subarray(0, TABLE_LENGTH), TABLE_HEADER, region.readUInt16LE(10))) {
    if (!known.has(entry.id) && (entry.bytes.readUInt32LE(24) & REQUIRED) !== 0) {
      throw failures.unsupported('has metadata that is required and not known');
    }
    const offset = entry.bytes.readUInt32LE(16);
    items.set(entry.id, region.subarray(offset, offset + LONGEST_ITEM));
  }
  const item = (name: keyof typeof id): Buffer => {
    const value = items.get(id[name]);
    if (value?.length !== LONGEST_ITEM) throw failures.invalid('it lacks metadata');
    return value;
  };
  const parameters = item('fileParameters');
  const blockSize = parameters.readUInt32LE(0);
  const size = Number(item('virtualDiskSize').readBigUInt64LE(0));
  const sectorSize = item('logicalSectorSize').readUInt32LE(0);
  if (!isBlockSize(blockSize, SMALLEST_BLOCK, LARGEST_BLOCK)) {
    throw failures.invalid(`its blocks have ${blockSize} bytes`);
  }
  if (sectorSize !== 512 && sectorSize !== 4096) throw failures.invalid(`its sectors have ${sectorSize} bytes`);
  if (size > LARGEST_DISK) throw failures.invalid('its disk is larger than any');
  const flags = parameters.readUInt32LE(4);
  return {
    size: size - (size % SECTOR),
    blockSize,
    chunkRatio: (SECTORS_PER_CHUNK * sectorSize) / blockSize,
    isFixed: (flags & flag.leaveBlockAllocated) !== 0,
    hasParent: (flags & flag.hasParent) !== 0,
  };
}
