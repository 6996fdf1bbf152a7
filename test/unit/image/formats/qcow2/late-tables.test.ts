import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { ByteReader } from '../../../../../src/base/bytes.ts';
import type { DecodedDisk } from '../../../../../src/base/extents.ts';
import { decodeDisk } from '../../../../../src/image/formats/decode.ts';
import { lend } from '../../../base/streams.ts';

const CLUSTER = 4096;
const SECTOR = 512;
const TABLES = 3;
const ENTRIES = CLUSTER / 8;
const SIZE = TABLES * ENTRIES * CLUSTER;

/** What a program writes next: a cluster, of which so many bytes cannot be compressed, or a table at the latest. */
interface Write {
  readonly table: number;
  readonly entry: number;
  readonly isPacked: boolean;
  readonly random: number;
  readonly writesTable: boolean;
}

/**
 * An image as of a program that writes clusters of all parts of a disk in any order, puts compressed ones into what is
 * left of a host cluster that others have begun, however much it has written since, and tables wherever it likes.
 */
class Image {
  readonly disk = Buffer.alloc(SIZE);
  readonly #file: Buffer[] = [];
  readonly #tables = Array.from({ length: TABLES }, () => Buffer.alloc(CLUSTER));
  readonly #places = new Map<number, number>();
  /** Where the next compressed cluster goes; a new host cluster where that is at the start of one. */
  #free = 0;

  constructor(writes: readonly Write[]) {
    this.#allocate();
    this.#allocate();
    for (const write of writes) this.#write(write);
    for (let table = 0; table < TABLES; table++) this.#placeTable(table);
    const [header, l1] = this.#file as [Buffer, Buffer];
    header.write('QFI\xfb', 0, 'latin1');
    for (const [at, value] of [
      [4, 3],
      [20, 12],
      [36, TABLES],
      [100, 104],
    ] as const)
      header.writeUInt32BE(value, at);
    header.writeBigUInt64BE(BigInt(SIZE), 24);
    header.writeBigUInt64BE(BigInt(CLUSTER), 40);
    for (const [table, host] of this.#places) {
      l1.writeBigUInt64BE(BigInt(host), 8 * table);
      this.#tables[table]!.copy(this.#file[host / CLUSTER]!);
    }
  }

  get file(): Buffer {
    return Buffer.concat(this.#file);
  }

  #write({ table, entry, isPacked, random, writesTable }: Write): void {
    if (writesTable) this.#placeTable(table);
    const entries = this.#tables[table]!;
    if (entries.readBigUInt64BE(8 * entry) !== 0n) return;
    const guest = (table * ENTRIES + entry) * CLUSTER;
    const content = this.disk.subarray(guest, guest + CLUSTER);
    content.fill(`${guest} `);
    for (let at = 0; at < random; at += 32) createHash('sha256').update(`${guest} ${at}`).digest().copy(content, at);
    if (isPacked) {
      const packed = deflateRawSync(content, { windowBits: 12 });
      if (packed.length >= CLUSTER) return void content.fill(0);
      if (CLUSTER - (this.#free % CLUSTER) < packed.length || this.#free % CLUSTER === 0) this.#free = this.#allocate();
      const host = this.#free;
      packed.copy(this.#file[Math.floor(host / CLUSTER)]!, host % CLUSTER);
      this.#free += packed.length;
      const sectors = Math.floor((this.#free - 1) / SECTOR) - Math.floor(host / SECTOR);
      entries.writeBigUInt64BE((1n << 62n) | (BigInt(sectors) << 58n) | BigInt(host), 8 * entry);
    } else {
      const host = this.#allocate();
      content.copy(this.#file[host / CLUSTER]!);
      entries.writeBigUInt64BE(BigInt(host), 8 * entry);
    }
  }

  #placeTable(table: number): void {
    if (!this.#places.has(table)) this.#places.set(table, this.#allocate());
  }

  #allocate(): number {
    this.#file.push(Buffer.alloc(CLUSTER));
    return (this.#file.length - 1) * CLUSTER;
  }
}

const images = fc
  .array(
    fc.record({
      table: fc.nat(TABLES - 1),
      entry: fc.nat(ENTRIES - 1),
      isPacked: fc.boolean(),
      random: fc.nat(3600),
      writesTable: fc.integer({ min: 0, max: 9 }).map((drawn) => drawn === 0),
    }),
    { maxLength: 120 },
  )
  .map((writes) => new Image(writes));

const chunks = fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 1, maxLength: 30 });

async function decoderOf(file: Buffer, sizes: number[], from = 0): Promise<DecodedDisk> {
  return decodeDisk('qcow2', new ByteReader(lend(file, sizes)), { from });
}

async function decode(decoded: DecodedDisk, disk: Buffer): Promise<void> {
  for await (const { offset, data } of decoded.extents) data.copy(disk, offset);
}

describe('a qcow2 whose clusters precede their tables, from a stream', () => {
  it('is decoded in one pass, wherever its tables are', async () => {
    await fc.assert(
      fc.asyncProperty(images, chunks, async ({ file, disk }, sizes) => {
        const decoded = Buffer.alloc(SIZE);
        await decode(await decoderOf(file, sizes), decoded);
        expect(decoded.equals(disk)).to.equal(true);
      }),
      { numRuns: 150 },
    );
  });

  it('is completed from any position that an earlier pass had come to', async () => {
    await fc.assert(
      fc.asyncProperty(images, chunks, fc.nat(100), async ({ file, disk }, sizes, extents) => {
        const decoded = Buffer.alloc(SIZE);
        const earlier = await decoderOf(file, sizes);
        let seen = 0;
        let from = 0;
        for await (const { offset, data } of earlier.extents) {
          data.copy(decoded, offset);
          from = earlier.position ?? 0;
          if (++seen > extents) break;
        }
        await decode(await decoderOf(file, sizes, from), decoded);
        expect(decoded.equals(disk)).to.equal(true);
      }),
      { numRuns: 150 },
    );
  });

  it('is refused where a table maps an earlier one', async () => {
    const write = { entry: 1, isPacked: false, random: 0, writesTable: true };
    const { file } = new Image([
      { ...write, table: 0 },
      { ...write, table: 1, writesTable: false },
      { ...write, table: 1 },
    ]);
    const [first = 0, second = 0] = [0, 1].map((table) => Number(file.readBigUInt64BE(CLUSTER + 8 * table)));
    expect(first).to.be.below(second);
    file.writeBigUInt64BE(BigInt(first), second + 8 * 100);
    const decoded = decode(await decoderOf(file, [4096]), Buffer.alloc(SIZE));
    expect(await decoded.catch((error: unknown) => error)).to.have.property('code', 'InvalidImage');
  });
});
