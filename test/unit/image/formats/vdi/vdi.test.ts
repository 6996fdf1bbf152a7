import { expect } from 'chai';
import fc from 'fast-check';
import { RandomAccessNeeded } from '../../../../../src/base/errors.ts';
import { decodeRanges } from '../../../../../src/image/formats/decode.ts';
import { describeVdi, parseHeader } from '../../../../../src/image/formats/vdi/header.ts';
import { vdiImage } from '../../../../support/vdi-image.ts';
import {
  completed,
  decodeStream,
  everyFailure,
  everyWay,
  failureOf,
  fragmentedDisks,
  rangesOf,
} from '../mapped-disks.ts';

const BLOCK = 4096;
const MAP = 512;

/** Blocks 0 and 2 of four. */
function image(): { file: Buffer; disk: Buffer } {
  const disk = Buffer.alloc(4 * BLOCK);
  disk.fill('first', 0, BLOCK);
  disk.fill('third', 2 * BLOCK, 3 * BLOCK);
  return { file: vdiImage(disk, { blockSize: BLOCK }), disk };
}

describe('VDI', () => {
  it('reads the same disk from a stream as by ranges, wherever its blocks lie, and wherever it goes on', async () => {
    await fc.assert(
      fc.asyncProperty(fragmentedDisks(BLOCK), async ({ disk, order }) => {
        const file = vdiImage(disk, { blockSize: BLOCK, order });
        for await (const decoded of everyWay('vdi', file)) expect(decoded.equals(disk)).to.equal(true);
      }),
      { numRuns: 50 },
    );
  });

  it('reads blocks of which the file holds more than one piece', async () => {
    const disk = Buffer.alloc(9 * 1024 * 1024 + 512, 'large');
    const file = vdiImage(disk, { blockSize: 4 * 1024 * 1024, order: [2, 0, 1] });
    for await (const decoded of everyWay('vdi', file)) expect(decoded.equals(disk)).to.equal(true);
  });

  it('reads a block that two places of the disk share, where it may be read twice', async () => {
    const { file, disk } = image();
    file.writeUInt32LE(0, MAP + 3 * 4);
    disk.copy(disk, 3 * BLOCK, 0, BLOCK);
    const ranges = rangesOf(file);
    expect((await completed(await decodeStream('vdi', file, { ranges }))).equals(disk)).to.equal(true);
    expect((await completed(await decodeRanges('vdi', ranges))).equals(disk)).to.equal(true);
    expect(await failureOf(completed(await decodeStream('vdi', file)))).to.be.instanceOf(RandomAccessNeeded);
  });

  it('reads nothing but its map and what that maps', async () => {
    const { file } = image();
    const far = 8 * 1024 * 1024;
    const spread = Buffer.concat([file, Buffer.alloc(far)]);
    // Behind a block that is not in use, and before others.
    spread.writeUInt32LE(far / 2 / BLOCK, MAP + 2 * 4);
    const read: number[] = [];
    const ranges = rangesOf(spread);
    const watched = {
      ...ranges,
      read: (offset: number, length: number) => (read.push(length), ranges.read(offset, length)),
    };
    await completed(await decodeRanges('vdi', watched));
    expect(read.reduce((sum, length) => sum + length)).to.be.lessThan(4 * BLOCK);
  });

  it('rounds an odd size up to whole sectors, as VirtualBox and qemu do', () => {
    const { file } = image();
    file.writeBigUInt64LE(BigInt(4 * BLOCK - 700), 0x170);
    expect(parseHeader(file).size).to.equal(4 * BLOCK - 512);
    expect(describeVdi(file).virtualSize).to.equal(4 * BLOCK - 512);
  });

  it('says when the file ends too early', async () => {
    const { file } = image();
    for (const length of [100, 600, 1024, 1024 + BLOCK, file.length - 1]) {
      for await (const { way, failure } of everyFailure('vdi', file.subarray(0, length))) {
        expect(failure, `${length} ${way}`).to.have.property('code', 'TruncatedImage');
      }
    }
  });

  it('refuses what is no disk by itself, and headers that lie', () => {
    const lies: [name: string, change: (header: Buffer) => unknown, code: string][] = [
      ['version', (header) => header.writeUInt32LE(0x00020000, 0x44), 'UnsupportedImage'],
      ['differencing', (header) => header.writeUInt32LE(4, 0x4c), 'UnsupportedImage'],
      ['parent', (header) => header.writeUInt8(1, 0x1b8), 'UnsupportedImage'],
      ['link', (header) => header.writeUInt8(1, 0x1a8), 'UnsupportedImage'],
      ['sector size', (header) => header.writeUInt32LE(4096, 0x168), 'UnsupportedImage'],
      ['extra data', (header) => header.writeUInt32LE(512, 0x17c), 'UnsupportedImage'],
      ['block size 0', (header) => header.writeUInt32LE(0, 0x178), 'InvalidImage'],
      ['block size', (header) => header.writeUInt32LE(5000, 0x178), 'InvalidImage'],
      ['size beyond its map', (header) => header.writeBigUInt64LE(2n ** 60n, 0x170), 'InvalidImage'],
      [
        'size beyond any',
        (header) => (header.fill(0xff, 0x170, 0x178), header.writeUInt32LE(2 ** 28, 0x178)),
        'InvalidImage',
      ],
      ['blocks', (header) => header.writeUInt32LE(0xffffffff, 0x180), 'InvalidImage'],
      ['map in its header', (header) => header.writeUInt32LE(0, 0x154), 'InvalidImage'],
      ['data in its header', (header) => header.writeUInt32LE(0, 0x158), 'InvalidImage'],
      ['map place', (header) => header.writeUInt32LE(700, 0x154), 'InvalidImage'],
    ];
    for (const [name, change, code] of lies) {
      const { file } = image();
      change(file);
      expect(() => parseHeader(file), name)
        .to.throw()
        .with.property('code', code);
    }
  });

  it('refuses to take its map for data', async () => {
    const { file } = image();
    file.writeUInt32LE(MAP, 0x158);
    for await (const { way, failure } of everyFailure('vdi', file)) {
      expect(failure, way).to.have.property('code', 'InvalidImage');
    }
  });
});
