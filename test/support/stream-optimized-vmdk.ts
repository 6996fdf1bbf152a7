import { deflateSync } from 'node:zlib';

const SECTOR = 512;
const DIRECTORY_AT_END = 0xffffffffffffffffn;
const FLAGS = 0x30001;

interface Shape {
  grainSize: number;
  /** Of each grain table. */
  entries: number;
  /** Whether the last grain ends with the disk, as qemu-img writes it. */
  endsWithDisk?: boolean;
}

/**
 * A streamOptimized VMDK as VMware writes it and qemu-img does not: grain tables behind their grains, then the grain
 * directory, the footer and the marker of the end.
 */
export function streamOptimizedVmdk(disk: Buffer, shape: Shape = { grainSize: 128 * SECTOR, entries: 512 }): Buffer {
  const { grainSize, entries: perTable } = shape;
  const parts: Buffer[] = [header(disk.length, shape, DIRECTORY_AT_END), padded(Buffer.from(descriptor(disk.length)))];
  parts.push(Buffer.alloc(20 * SECTOR - (parts[1]?.length ?? 0)), Buffer.alloc(107 * SECTOR));
  const sectorsSoFar = (): number => parts.reduce((sum, { length }) => sum + length, 0) / SECTOR;
  const grains = Math.ceil(disk.length / grainSize);
  const directory = Buffer.alloc(Math.ceil(grains / perTable) * 4);
  for (let table = 0; table * perTable < grains; table += 1) {
    const entries = Buffer.alloc(perTable * 4);
    for (let index = table * perTable; index < Math.min(grains, (table + 1) * perTable); index += 1) {
      const data = disk.subarray(index * grainSize, (index + 1) * grainSize);
      const grain = shape.endsWithDisk ? data : Buffer.concat([data], grainSize);
      if (grain.every((byte) => byte === 0)) continue;
      entries.writeUInt32LE(sectorsSoFar(), (index % perTable) * 4);
      const compressed = deflateSync(grain);
      const head = Buffer.alloc(12);
      head.writeBigUInt64LE(BigInt((index * grainSize) / SECTOR), 0);
      head.writeUInt32LE(compressed.length, 8);
      parts.push(padded(Buffer.concat([head, compressed])));
    }
    if (entries.every((byte) => byte === 0)) continue;
    parts.push(marker(1, entries.length));
    directory.writeUInt32LE(sectorsSoFar(), table * 4);
    parts.push(padded(entries));
  }
  parts.push(marker(2, directory.length));
  const place = BigInt(sectorsSoFar());
  parts.push(padded(directory), marker(3, SECTOR), header(disk.length, shape, place), marker(0, 0));
  return Buffer.concat(parts);
}

function header(size: number, { grainSize, entries }: Shape, directory: bigint): Buffer {
  const bytes = Buffer.alloc(SECTOR);
  bytes.write('KDMV');
  bytes.writeUInt32LE(3, 4);
  bytes.writeUInt32LE(FLAGS, 8);
  bytes.writeBigUInt64LE(BigInt(size / SECTOR), 12);
  bytes.writeBigUInt64LE(BigInt(grainSize / SECTOR), 20);
  bytes.writeBigUInt64LE(1n, 28);
  bytes.writeBigUInt64LE(20n, 36);
  bytes.writeUInt32LE(entries, 44);
  bytes.writeBigUInt64LE(directory, 56);
  bytes.writeBigUInt64LE(128n, 64);
  bytes.write('\n \r\n', 73);
  bytes.writeUInt16LE(1, 77);
  return bytes;
}

function marker(type: number, length: number): Buffer {
  const bytes = Buffer.alloc(SECTOR);
  bytes.writeBigUInt64LE(BigInt(Math.ceil(length / SECTOR)), 0);
  bytes.writeUInt32LE(type, 12);
  return bytes;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((SECTOR - (bytes.length % SECTOR)) % SECTOR)]);
}

function descriptor(size: number): string {
  return [
    '# Disk DescriptorFile',
    'version=1',
    'CID=12345678',
    'parentCID=ffffffff',
    'createType="streamOptimized"',
    `RW ${size / SECTOR} SPARSE "disk.vmdk"`,
    'ddb.adapterType = "lsilogic"',
    '',
  ].join('\n');
}
