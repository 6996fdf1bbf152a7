import { expect } from 'chai';
import fc from 'fast-check';
import { RandomAccessNeeded, TransferError } from '../../../../../src/base/errors.ts';
import { decodeRanges } from '../../../../../src/image/formats/decode.ts';
import { crc32c } from '../../../../../src/image/formats/vhdx/crc32c.ts';
import { describeVhdx } from '../../../../../src/image/formats/vhdx/describe.ts';
import { openVhdx } from '../../../../../src/image/formats/vhdx/image.ts';
import { batEntryAt, sealVhdx, vhdxImage } from '../../../../support/vhdx-image.ts';
import {
  completed,
  decodeStream,
  everyFailure,
  everyWay,
  failureOf,
  fragmentedDisks,
  rangesOf,
} from '../mapped-disks.ts';

const MEBIBYTE = 1024 * 1024;
const HEADERS = [64 * 1024, 128 * 1024] as const;
const REGION_TABLES = [192 * 1024, 256 * 1024] as const;
const METADATA = MEBIBYTE;

/** A disk that ends in its second block, of which the first is zeros. */
function image(): { file: Buffer; disk: Buffer } {
  const disk = Buffer.alloc(MEBIBYTE + 8192);
  disk.fill('second', MEBIBYTE);
  return { file: vhdxImage(disk, { blockSize: MEBIBYTE }), disk };
}

describe('VHDX', () => {
  it('reads the same disk from a stream as by ranges, wherever its blocks lie, and wherever it goes on', async () => {
    await fc.assert(
      fc.asyncProperty(fragmentedDisks(MEBIBYTE, 512, 4), async ({ disk, order }) => {
        const file = vhdxImage(disk, { blockSize: MEBIBYTE, order });
        for await (const decoded of everyWay('vhdx', file)) expect(decoded.equals(disk)).to.equal(true);
      }),
      { numRuns: 10 },
    );
  });

  it('passes over the entries of sector bitmaps, whatever table of the map they are in', async () => {
    for (const [blockSize, sectorSize] of [
      [256 * MEBIBYTE, 512],
      [256 * MEBIBYTE, 4096],
      [MEBIBYTE, 512],
    ] as const) {
      const size = 5500 * MEBIBYTE * (sectorSize / 512);
      const blocks = Math.ceil(size / blockSize);
      const order = [...Array(blocks).keys()].reverse();
      const file = vhdxImage(Buffer.alloc(0), { blockSize, size, sectorSize, order });
      const mapped = await openVhdx(async (length) => file.subarray(0, length));
      const places = new Map<number, number>();
      const readAt = async (at: number, length: number): Promise<Buffer> => file.subarray(at, at + length);
      for (const tables = await mapped.readTables(readAt); tables.host < Infinity; tables.advance()) {
        const table = await readAt(tables.host, tables.length);
        for (const pieces = mapped.parseTable(table, tables.guest); pieces.host < Infinity; pieces.advance()) {
          places.set(pieces.guest, pieces.host);
        }
      }
      expect(places.size).to.equal(Math.ceil(size / MEBIBYTE));
      for (let block = 0; block < blocks; block += 1) {
        const host = 2 * MEBIBYTE + order.indexOf(block) * blockSize;
        expect(places.get(block * blockSize), `block ${block} of ${blockSize} bytes`).to.equal(host);
      }
    }
  });

  it('believes the newest header, and either region table', async () => {
    const { file, disk } = image();
    const [first, second] = HEADERS;
    const withLog = (at: number): Buffer => {
      const changed = Buffer.from(file);
      changed.writeUInt8(1, at + 48);
      sealVhdx(changed.subarray(at, at + 4096));
      return changed;
    };
    expect((await completed(await decodeStream('vhdx', withLog(first)))).equals(disk)).to.equal(true);
    expect(await failureOf(decodeStream('vhdx', withLog(second)))).to.be.instanceOf(RandomAccessNeeded);
    expect(await decodeRanges('vhdx', rangesOf(withLog(second)))).to.equal(undefined);
    const damaged = withLog(second);
    damaged.writeUInt8(1, second + 4000);
    damaged.writeUInt8(1, REGION_TABLES[0] + 100);
    expect((await completed(await decodeStream('vhdx', damaged))).equals(disk)).to.equal(true);
    damaged.writeUInt8(1, REGION_TABLES[1] + 100);
    expect(await failureOf(decodeStream('vhdx', damaged))).to.have.property('code', 'InvalidImage');
  });

  it('says when the file ends too early', async () => {
    const { file } = image();
    for (const length of [100, 300 * 1024, METADATA + 1000, 2 * MEBIBYTE + 4096, file.length - 1]) {
      for await (const { way, failure } of everyFailure('vhdx', file.subarray(0, length))) {
        expect(failure, `${length} ${way}`).to.have.property('code', 'TruncatedImage');
      }
    }
  });

  it('refuses metadata and maps that lie, and what needs another file', async () => {
    const item = (index: number): number => METADATA + 64 * 1024 + index * 16;
    const entry = batEntryAt(1);
    const lies: [name: string, change: (file: Buffer) => unknown, code: string][] = [
      ['parent', (file) => file.writeUInt32LE(2, item(0) + 4), 'UnsupportedImage'],
      ['unknown item', (file) => file.writeUInt8(0, METADATA + 32), 'UnsupportedImage'],
      ['missing item', (file) => file.writeUInt16LE(3, METADATA + 10), 'InvalidImage'],
      ['block size', (file) => file.writeUInt32LE(512, item(0)), 'InvalidImage'],
      ['odd block size', (file) => file.writeUInt32LE(3 * MEBIBYTE, item(0)), 'InvalidImage'],
      ['size', (file) => file.writeBigUInt64LE(2n ** 62n, item(1)), 'InvalidImage'],
      ['size beyond its table', (file) => file.writeBigUInt64LE(2n ** 40n, item(1)), 'InvalidImage'],
      ['sector size', (file) => file.writeUInt32LE(1000, item(3)), 'InvalidImage'],
      ['item behind its region', (file) => file.writeUInt32LE(2 ** 31, METADATA + 32 + 16), 'InvalidImage'],
      ['block in the header section', (file) => file.writeBigUInt64LE(6n, entry), 'InvalidImage'],
      ['block in a region', (file) => file.writeBigUInt64LE(6n | BigInt(MEBIBYTE), entry), 'InvalidImage'],
      ['block of a parent', (file) => file.writeBigUInt64LE(7n | BigInt(2 * MEBIBYTE), entry), 'InvalidImage'],
      ['block beyond any file', (file) => file.writeBigUInt64LE(2n ** 64n - 2n, entry), 'InvalidImage'],
    ];
    for (const [name, change, code] of lies) {
      const { file } = image();
      change(file);
      for await (const { way, failure } of everyFailure('vhdx', file)) {
        expect(failure, `${name}, ${way}`).to.have.property('code', code);
      }
    }
  });

  it('tells what it is, also where it refers to another file', async () => {
    const disk = Buffer.alloc(4096);
    const about = (flags: number) => describeVhdx(rangesOf(vhdxImage(disk, { blockSize: MEBIBYTE, flags })));
    expect(await about(0)).to.include({ virtualSize: 4096, version: 'dynamic', clusterSize: MEBIBYTE });
    expect(await about(1)).to.include({ version: 'fixed', backingFile: undefined });
    expect(await about(2)).to.include({ version: 'differencing', backingFile: 'present' });
  });

  it('survives any damage to its metadata and its map', async () => {
    const { file, disk } = image();
    const places = fc.oneof(
      fc.nat(191).map((at) => METADATA + at),
      fc.nat(79).map((at) => METADATA + 64 * 1024 + at),
      fc.nat(15).map((at) => batEntryAt(0) + at),
    );
    const damage = fc.array(fc.tuple(places, fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const damaged = Buffer.from(file);
        for (const [at, value] of changes) damaged[at] = value;
        const disks: Buffer[] = [];
        for (const decoding of [decodeStream('vhdx', damaged), decodeRanges('vhdx', rangesOf(damaged))]) {
          try {
            const decoded = await decoding;
            if ((decoded?.virtualSize ?? 0) <= 4 * disk.length) disks.push(await completed(decoded));
          } catch (error) {
            if (!(error instanceof TransferError) && !(error instanceof RandomAccessNeeded)) throw error;
          }
        }
        expect(disks.every((each) => each.equals(disks[0] ?? each))).to.equal(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('crc32c', () => {
  it('is that of RFC 3720', () => {
    expect(crc32c(Buffer.alloc(32))).to.equal(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff))).to.equal(0x62a8ab43);
  });
});
