const SECTOR = 512;
const HEADER_AT = 512;
const TABLE_AT = 1536;

export interface DynamicVhdOptions {
  blockSize: number;
  /**
   * Blocks of the disk in the order in which they lie in the file; those with data in the disk's order unless given.
   */
  order?: readonly number[];
  /** Four characters. */
  creator?: string;
}

/** A dynamic VHD of a disk, as Hyper-V lays it out, but with blocks of any size. */
export function dynamicVhd(disk: Buffer, { blockSize, order, creator = 'win ' }: DynamicVhdOptions): Buffer {
  const blocks = Math.ceil(disk.length / blockSize);
  const block = (index: number): Buffer => disk.subarray(index * blockSize, (index + 1) * blockSize);
  const present = order ?? [...Array(blocks).keys()].filter((index) => block(index).some((byte) => byte !== 0));
  const bitmap = Buffer.alloc(Math.ceil(blockSize / SECTOR / 8 / SECTOR) * SECTOR, 0xff);
  const table = Buffer.alloc(Math.ceil((blocks * 4) / SECTOR) * SECTOR, 0xff);
  for (const [place, index] of present.entries()) {
    const at = TABLE_AT + table.length + place * (bitmap.length + blockSize);
    table.writeUInt32BE(at / SECTOR, index * 4);
  }
  const footer = Buffer.alloc(SECTOR);
  footer.write('conectix');
  footer.writeUInt32BE(2, 8);
  footer.writeUInt32BE(0x10000, 12);
  footer.writeBigUInt64BE(BigInt(HEADER_AT), 16);
  footer.write(creator, 28, 'latin1');
  footer.writeBigUInt64BE(BigInt(disk.length), 40);
  footer.writeBigUInt64BE(BigInt(disk.length), 48);
  // A geometry of 16 heads and 17 sectors each, as large as the disk can be by it.
  footer.writeUInt16BE(Math.floor(disk.length / SECTOR / 16 / 17), 56);
  footer.writeUInt8(16, 58);
  footer.writeUInt8(17, 59);
  footer.writeUInt32BE(3, 60);
  sealVhd(footer);
  const header = Buffer.alloc(1024);
  header.write('cxsparse');
  header.fill(0xff, 8, 16);
  header.writeBigUInt64BE(BigInt(TABLE_AT), 16);
  header.writeUInt32BE(0x10000, 24);
  header.writeUInt32BE(blocks, 28);
  header.writeUInt32BE(blockSize, 32);
  const data = present.flatMap((index) => [bitmap, Buffer.concat([block(index)], blockSize)]);
  return Buffer.concat([footer, header, table, ...data, footer]);
}

/** Writes the checksum of a footer. */
export function sealVhd(footer: Buffer): void {
  footer.writeUInt32BE(0, 64);
  const sum = footer.subarray(0, SECTOR).reduce((total, byte) => total + byte, 0);
  footer.writeUInt32BE(~sum >>> 0, 64);
}
