import { deflateRawSync } from 'node:zlib';

const HEADER = 48;
const ENTRY = 8;
const COMPRESSED = 1n << 63n;

export interface QcowOptions {
  clusterBits: number;
  l2Bits: number;
  /** Clusters of the disk in the order in which they were written; those with data in the disk's order unless given. */
  order?: readonly number[];
  /** Which of them are compressed; none unless given. */
  isCompressed?: (cluster: number) => boolean;
}

/**
 * A qcow of version 1 of a disk, as QEMU lays it out: whatever is written, tables and clusters, goes to the end of the
 * file.
 */
export function qcowImage(disk: Buffer, options: QcowOptions): Buffer {
  const { clusterBits, l2Bits, isCompressed = () => false } = options;
  const [clusterSize, perTable] = [2 ** clusterBits, 2 ** l2Bits];
  const clusters = Math.ceil(disk.length / clusterSize);
  const cluster = (index: number): Buffer =>
    Buffer.concat([disk.subarray(index * clusterSize, (index + 1) * clusterSize)], clusterSize);
  const written =
    options.order ?? [...Array(clusters).keys()].filter((index) => cluster(index).some((byte) => byte !== 0));
  const l1 = Buffer.alloc(Math.ceil(clusters / perTable) * ENTRY);
  const file = new GrowingFile(qcowHeader(disk.length, options), l1);
  const tables = new Map<number, { offset: number; entries: Buffer }>();
  for (const index of written) {
    const table = Math.floor(index / perTable);
    const l2 = tables.get(table) ?? file.append(Buffer.alloc(perTable * ENTRY), clusterSize);
    tables.set(table, l2);
    l1.writeBigUInt64BE(BigInt(l2.offset), table * ENTRY);
    const deflated = deflateRawSync(cluster(index), { windowBits: 12 });
    const shrinks = isCompressed(index) && deflated.length < clusterSize;
    const { offset } = file.append(shrinks ? deflated : cluster(index), shrinks ? 1 : clusterSize);
    const flags = shrinks ? COMPRESSED | (BigInt(deflated.length) << BigInt(63 - clusterBits)) : 0n;
    l2.entries.writeBigUInt64BE(BigInt(offset) | flags, (index % perTable) * ENTRY);
  }
  return file.bytes();
}

function qcowHeader(size: number, { clusterBits, l2Bits }: QcowOptions): Buffer {
  const header = Buffer.alloc(HEADER);
  header.write('QFI\xfb', 'latin1');
  header.writeUInt32BE(1, 4);
  header.writeBigUInt64BE(BigInt(size), 24);
  header.writeUInt8(clusterBits, 32);
  header.writeUInt8(l2Bits, 33);
  header.writeBigUInt64BE(BigInt(HEADER), 40);
  return header;
}

class GrowingFile {
  readonly #parts: Buffer[];
  #length: number;

  constructor(...parts: Buffer[]) {
    this.#parts = parts;
    this.#length = parts.reduce((sum, { length }) => sum + length, 0);
  }

  /** @returns the bytes, which may be changed until {@link bytes} is called, and where they are */
  append(entries: Buffer, alignment: number): { offset: number; entries: Buffer } {
    const offset = Math.ceil(this.#length / alignment) * alignment;
    this.#parts.push(Buffer.alloc(offset - this.#length), entries);
    this.#length = offset + entries.length;
    return { offset, entries };
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
