import { crc32c } from '../../src/image/formats/vhdx/crc32c.ts';

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;
const METADATA_AT = MEBIBYTE;
const BAT_AT = METADATA_AT + 128 * KIBIBYTE;
const BAT_LENGTH = 64 * KIBIBYTE;
const DATA_AT = 2 * MEBIBYTE;
const FULLY_PRESENT = 6n;
const ZERO = 2n;

export interface VhdxOptions {
  blockSize: number;
  /**
   * Blocks of the disk in the order in which they lie in the file; those with data in the disk's order unless given.
   */
  order?: readonly number[];
  /** Of the disk, where the file is to end before its blocks. */
  size?: number;
  sectorSize?: number;
  /** Flags of the file parameters. */
  flags?: number;
}

/** A VHDX of a disk, without a log. Its last block need not be whole. */
export function vhdxImage(disk: Buffer, options: VhdxOptions): Buffer {
  const { blockSize, order, size = disk.length, sectorSize = 512, flags = 0 } = options;
  const blocks = Math.ceil(disk.length / blockSize);
  const block = (index: number): Buffer => disk.subarray(index * blockSize, (index + 1) * blockSize);
  const present = order ?? [...Array(blocks).keys()].filter((index) => block(index).some((byte) => byte !== 0));
  const file = Buffer.alloc(DATA_AT);
  file.write('vhdxfile');
  for (const [index, at] of [64 * KIBIBYTE, 128 * KIBIBYTE].entries()) {
    const header = file.subarray(at, at + 4096);
    header.write('head');
    header.writeBigUInt64LE(BigInt(7 + index), 8);
    header.writeUInt16LE(1, 66);
    sealVhdx(header);
  }
  for (const at of [192 * KIBIBYTE, 256 * KIBIBYTE]) {
    const regions = file.subarray(at, at + 64 * KIBIBYTE);
    regions.write('regi');
    regions.writeUInt32LE(2, 8);
    writeRegion(regions.subarray(16), '6677c22d23f600429d64115e9bfd4a08', BAT_AT, BAT_LENGTH);
    writeRegion(regions.subarray(48), '06a27c8b90479a4bb8fe575f050f886e', METADATA_AT, 128 * KIBIBYTE);
    sealVhdx(regions);
  }
  writeMetadata(file.subarray(METADATA_AT), [
    ['3767a1ca36fa434db3b633f0aa44e76b', BigInt(blockSize) | (BigInt(flags) << 32n)],
    ['2442a52f1bcd7648b2115dbed83bf4b8', BigInt(size)],
    ['ab12cabee6b2234593efc309e000c746', 1n],
    ['1dbf41816fa90947ba47f233a8faab5f', BigInt(sectorSize)],
    ['c748a3cd5d4471449cc9e9885251c556', 4096n],
  ]);
  const chunkRatio = (2 ** 23 * sectorSize) / blockSize;
  for (let index = 0; index < Math.ceil(size / blockSize); index += 1) {
    const place = present.indexOf(index);
    const entry = place < 0 ? (index % 2 === 0 ? ZERO : 0n) : BigInt(DATA_AT + place * blockSize) | FULLY_PRESENT;
    file.writeBigUInt64LE(entry, BAT_AT + (index + Math.floor(index / chunkRatio)) * 8);
  }
  if (disk.length < size) return file;
  const last = present.length - 1;
  const data = present.map((index, place) =>
    place === last ? block(index) : Buffer.concat([block(index)], blockSize),
  );
  return Buffer.concat([file, ...data]);
}

/** Writes the checksum of a header or a region table. */
export function sealVhdx(structure: Buffer): void {
  structure.writeUInt32LE(0, 4);
  structure.writeUInt32LE(crc32c(structure), 4);
}

/** Where the entry of a block is that no sector bitmap's comes before. */
export function batEntryAt(block: number): number {
  return BAT_AT + block * 8;
}

function writeRegion(entry: Buffer, id: string, offset: number, length: number): void {
  entry.write(id, 'hex');
  entry.writeBigUInt64LE(BigInt(offset), 16);
  entry.writeUInt32LE(length, 24);
  entry.writeUInt32LE(1, 28);
}

function writeMetadata(region: Buffer, items: [id: string, value: bigint][]): void {
  region.write('metadata');
  region.writeUInt16LE(items.length, 10);
  for (const [index, [id, value]] of items.entries()) {
    const entry = region.subarray(32 + index * 32);
    const at = 64 * KIBIBYTE + index * 16;
    entry.write(id, 'hex');
    entry.writeUInt32LE(at, 16);
    entry.writeUInt32LE(8, 20);
    entry.writeUInt32LE(4, 24);
    region.writeBigUInt64LE(value, at);
  }
}
