import { expect } from 'chai';
import fc from 'fast-check';
import { RandomAccessNeeded } from '../../../../../src/base/errors.ts';
import { decodeRanges } from '../../../../../src/image/formats/decode.ts';
import { describeQcow, parseHeader } from '../../../../../src/image/formats/qcow/header.ts';
import { qcowImage } from '../../../../support/qcow-image.ts';
import {
  completed,
  decodeStream,
  everyFailure,
  everyWay,
  failureOf,
  fragmentedDisks,
  rangesOf,
} from '../mapped-disks.ts';

const CLUSTER_BITS = 9;
const CLUSTER = 2 ** CLUSTER_BITS;
const L2_BITS = 6;
const SPAN = CLUSTER * 2 ** L2_BITS;
const L1 = 48;
const COMPRESSED = 1n << 63n;

/** A disk of two tables, of which the second one's clusters are compressed. */
function image(): { file: Buffer; disk: Buffer; firstTable: number; secondTable: number } {
  const disk = Buffer.alloc(2 * SPAN);
  disk.fill('plain', CLUSTER, 3 * CLUSTER);
  disk.fill('compressed', SPAN, SPAN + 2 * CLUSTER);
  const isCompressed = (cluster: number): boolean => cluster * CLUSTER >= SPAN;
  const file = qcowImage(disk, { clusterBits: CLUSTER_BITS, l2Bits: L2_BITS, isCompressed });
  const [firstTable, secondTable] = [Number(file.readBigUInt64BE(L1)), Number(file.readBigUInt64BE(L1 + 8))];
  return { file, disk, firstTable, secondTable };
}

describe('qcow of version 1', () => {
  it('reads the same disk from a stream as by ranges, wherever its clusters lie, and wherever it goes on', async () => {
    const disks = fragmentedDisks(CLUSTER, 512, 200);
    await fc.assert(
      fc.asyncProperty(disks, fc.boolean(), fc.boolean(), async ({ disk, order }, odd, even) => {
        const isCompressed = (cluster: number): boolean => (cluster % 2 === 0 ? even : odd);
        const file = qcowImage(disk, { clusterBits: CLUSTER_BITS, l2Bits: L2_BITS, order, isCompressed });
        for await (const decoded of everyWay('qcow', file)) expect(decoded.equals(disk)).to.equal(true);
      }),
      { numRuns: 20 },
    );
  });

  it('reads clusters and tables of any size', async () => {
    const disk = Buffer.alloc(600 * 1024 + 512, 'sizes');
    for (const [clusterBits, l2Bits] of [
      [9, 13],
      [12, 9],
      [16, 6],
      [16, 13],
    ] as const) {
      const file = qcowImage(disk, { clusterBits, l2Bits, isCompressed: (cluster) => cluster % 3 === 0 });
      for await (const decoded of everyWay('qcow', file)) expect(decoded.equals(disk)).to.equal(true);
    }
  });

  it('reads by ranges only what has a table behind its data', async () => {
    const { file, disk, firstTable } = image();
    const table = file.subarray(firstTable, firstTable + CLUSTER);
    const moved = Buffer.concat([file, Buffer.alloc(CLUSTER - (file.length % CLUSTER)), table]);
    table.fill(0xff);
    moved.writeBigUInt64BE(BigInt(moved.length - CLUSTER), L1);
    expect(await failureOf(decodeStream('qcow', moved).then(completed))).to.be.instanceOf(RandomAccessNeeded);
    const ranges = rangesOf(moved);
    expect((await completed(await decodeStream('qcow', moved, { ranges }))).equals(disk)).to.equal(true);
    expect((await completed(await decodeRanges('qcow', ranges))).equals(disk)).to.equal(true);
  });

  it('refuses what is cut off anywhere', async () => {
    const { file } = image();
    for (let length = 8; length < file.length; length += 97) {
      for await (const { way, failure } of everyFailure('qcow', file.subarray(0, length))) {
        expect(failure, `${way}, ${length} bytes`).to.have.property('code', 'TruncatedImage');
      }
    }
  });

  it('tells what a header says, whether or not it is complete', () => {
    const { file } = image();
    const details = { virtualSize: 2 * SPAN, version: '1', clusterSize: CLUSTER, compression: 'zlib' };
    expect(describeQcow(file)).to.deep.include({ ...details, backingFile: undefined, encryption: undefined });
    expect(describeQcow(withBackingFile(file))).to.deep.include({ ...details, backingFile: '"base"' });
    file.writeUInt32BE(1, 36);
    expect(describeQcow(file)).to.deep.include({ ...details, encryption: 'AES' });
    expect(describeQcow(file.subarray(0, 40))).to.deep.equal({});
  });

  it('refuses headers that no image has', () => {
    const damages: [damage: (header: Buffer) => unknown, code: string, message: RegExp][] = [
      [(header) => header.writeUInt32BE(2, 4), 'UnsupportedImage', /version 2/],
      [(header) => header.writeBigUInt64BE(1n, 24), 'InvalidImage', /size is 1/],
      [(header) => header.writeBigUInt64BE(2n ** 63n, 24), 'InvalidImage', /size is/],
      [(header) => header.writeUInt8(8, 32), 'InvalidImage', /cluster_bits are 8/],
      [(header) => header.writeUInt8(17, 32), 'InvalidImage', /cluster_bits are 17/],
      [(header) => header.writeUInt8(5, 33), 'InvalidImage', /l2_bits are 5/],
      [(header) => header.writeUInt8(14, 33), 'InvalidImage', /l2_bits are 14/],
      [(header) => header.writeUInt32BE(1, 36), 'UnsupportedImage', /encrypted \(AES\)/],
      [(header) => header.writeUInt32BE(7, 36), 'UnsupportedImage', /encrypted \(method 7\)/],
      [(header) => header.writeBigUInt64BE(40n, 40), 'InvalidImage', /L1 table lies in its header/],
      [(header) => header.writeBigUInt64BE(2n ** 60n, 40), 'InvalidImage', /L1 table lies beyond/],
      [(header) => header.writeBigUInt64BE(8n, 8), 'UnsupportedImage', /has a backing file/],
    ];
    for (const [damage, code, message] of damages) {
      const { file } = image();
      damage(file);
      expect(() => parseHeader(file))
        .to.throw(message)
        .with.property('code', code);
    }
    expect(() => parseHeader(withBackingFile(image().file))).to.throw(/has the backing file "base"/);
  });

  it('leaves a disk of very many tables to qemu-img', async () => {
    const { file } = image();
    file.writeBigUInt64BE(2n ** 48n, 24);
    expect(() => parseHeader(file)).to.throw(RandomAccessNeeded);
    expect(await decodeRanges('qcow', rangesOf(file))).to.equal(undefined);
  });

  it('refuses tables and clusters at places where none can be', async () => {
    const { secondTable, firstTable } = image();
    const damages: [at: number, entry: bigint, message: RegExp][] = [
      [L1, 8n, /an L2 table lies in its header/],
      [L1, 56n, /an L2 table lies in its L1 table/],
      [L1, 2n ** 62n, /an L2 table lies beyond any file/],
      [L1 + 8, BigInt(firstTable), /two parts of the disk are mapped by one table/],
      [firstTable + 8, 2n ** 62n, /a cluster lies beyond any file/],
      [firstTable + 8, 600n, /a cluster is not aligned/],
      [firstTable + 8, BigInt(secondTable), /data lies in a table/],
      [secondTable, COMPRESSED | (20n << 54n) | 20n, /a compressed cluster lies in its header/],
      [secondTable, COMPRESSED | (20n << 54n) | 50n, /a compressed cluster lies in its L1 table/],
      [secondTable, COMPRESSED | BigInt(firstTable + CLUSTER), /a compressed cluster has no data/],
      [secondTable, COMPRESSED | (20n << 54n) | BigInt(firstTable + CLUSTER), /a compressed cluster is damaged/],
    ];
    for (const [at, entry, message] of damages) {
      const { file } = image();
      file.writeBigUInt64BE(entry, at);
      expect(await failureOf(decodeRanges('qcow', rangesOf(file)).then(completed)), `${message}`)
        .to.have.property('message')
        .that.matches(message);
    }
  });
});

function withBackingFile(image: Buffer): Buffer {
  const file = Buffer.from(image);
  const name = 'base';
  file.writeBigUInt64BE(BigInt(file.length), 8);
  file.writeUInt32BE(name.length, 16);
  return Buffer.concat([file, Buffer.from(name)]);
}
