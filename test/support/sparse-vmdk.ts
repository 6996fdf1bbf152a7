const SECTOR = 512;
const DESCRIPTOR_SECTORS = 20;
const UNALLOCATED = 0;
const ZEROS = 1;

export interface SparseVmdkOptions {
  grainSize: number;
  /** Of each grain table. */
  entries: number;
  /**
   * Grains of the disk in the order in which they lie in the file; those with data in the disk's order unless given.
   */
  order?: readonly number[];
  /** Whether the grain tables lie behind the grains. */
  tablesLast?: boolean;
}

/** A monolithicSparse VMDK of a disk, as VMware lays it out, but for its redundant tables. */
export function sparseVmdk(disk: Buffer, { grainSize, entries, order, tablesLast }: SparseVmdkOptions): Buffer {
  const grains = Math.ceil(disk.length / grainSize);
  const grain = (index: number): Buffer => disk.subarray(index * grainSize, (index + 1) * grainSize);
  const present = order ?? [...Array(grains).keys()].filter((index) => grain(index).some((byte) => byte !== 0));
  const tables = Math.ceil(grains / entries);
  const directoryAt = 1 + DESCRIPTOR_SECTORS;
  const directory = Buffer.alloc(sectors(tables * 4) * SECTOR);
  const tableSectors = sectors(entries * 4);
  const behindDirectory = directoryAt + directory.length / SECTOR;
  const dataAt = behindDirectory + (tablesLast === true ? 0 : tables * tableSectors);
  const tablesAt = tablesLast === true ? dataAt + present.length * (grainSize / SECTOR) : behindDirectory;
  const map = Buffer.alloc(tables * tableSectors * SECTOR);
  for (let table = 0; table < tables; table += 1) directory.writeUInt32LE(tablesAt + table * tableSectors, table * 4);
  for (let index = 0; index < grains; index += 1) {
    const place = present.indexOf(index);
    const absent = index % 2 === 0 ? UNALLOCATED : ZEROS;
    const at = Math.floor(index / entries) * tableSectors * SECTOR + (index % entries) * 4;
    map.writeUInt32LE(place >= 0 ? dataAt + place * (grainSize / SECTOR) : absent, at);
  }
  const data = Buffer.concat(present.map((index) => Buffer.concat([grain(index)], grainSize)));
  const header = Buffer.alloc(SECTOR);
  header.write('KDMV');
  header.writeUInt32LE(1, 4);
  header.writeUInt32LE(5, 8);
  header.writeBigUInt64LE(BigInt(disk.length / SECTOR), 12);
  header.writeBigUInt64LE(BigInt(grainSize / SECTOR), 20);
  header.writeBigUInt64LE(1n, 28);
  header.writeBigUInt64LE(BigInt(DESCRIPTOR_SECTORS), 36);
  header.writeUInt32LE(entries, 44);
  header.writeBigUInt64LE(BigInt(directoryAt), 56);
  header.writeBigUInt64LE(BigInt(dataAt), 64);
  header.write('\n \r\n', 73);
  const descriptor = Buffer.alloc(DESCRIPTOR_SECTORS * SECTOR);
  descriptor.write(
    '# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType="monolithicSparse"\n' +
      `RW ${disk.length / SECTOR} SPARSE "disk.vmdk"\n`,
  );
  return Buffer.concat([header, descriptor, directory, ...(tablesLast === true ? [data, map] : [map, data])]);
}

function sectors(length: number): number {
  return Math.ceil(length / SECTOR);
}
