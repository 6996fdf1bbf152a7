const HEADER = 512;
const UNALLOCATED = 0xffffffff;
const DISCARDED = 0xfffffffe;

export interface VdiOptions {
  blockSize: number;
  /**
   * Blocks of the disk in the order in which they lie in the file; those with data in the disk's order unless given.
   */
  order?: readonly number[];
}

/** A VDI of a disk, as VirtualBox lays it out, but with blocks of any size. */
export function vdiImage(disk: Buffer, { blockSize, order }: VdiOptions): Buffer {
  const blocks = Math.ceil(disk.length / blockSize);
  const block = (index: number): Buffer => disk.subarray(index * blockSize, (index + 1) * blockSize);
  const present = order ?? [...Array(blocks).keys()].filter((index) => block(index).some((byte) => byte !== 0));
  const map = Buffer.alloc(Math.ceil((blocks * 4) / HEADER) * HEADER, 0xff);
  for (let index = 0; index < blocks; index += 1) {
    const place = present.indexOf(index);
    map.writeUInt32LE(place >= 0 ? place : index % 2 === 0 ? UNALLOCATED : DISCARDED, index * 4);
  }
  const header = Buffer.alloc(HEADER);
  header.write('<<< Oracle VM VirtualBox Disk Image >>>\n');
  header.writeUInt32LE(0xbeda107f, 0x40);
  header.writeUInt32LE(0x00010001, 0x44);
  header.writeUInt32LE(0x190, 0x48);
  header.writeUInt32LE(1, 0x4c);
  header.writeUInt32LE(HEADER, 0x154);
  header.writeUInt32LE(HEADER + map.length, 0x158);
  header.writeUInt32LE(512, 0x168);
  header.writeBigUInt64LE(BigInt(disk.length), 0x170);
  header.writeUInt32LE(blockSize, 0x178);
  header.writeUInt32LE(blocks, 0x180);
  header.writeUInt32LE(present.length, 0x184);
  header.write('an image of its own', 0x188, 16);
  const data = present.map((index) => Buffer.concat([block(index)], blockSize));
  return Buffer.concat([header, map, ...data]);
}
