import { expect } from 'chai';
import fc from 'fast-check';
import { RandomAccessNeeded } from '../../../../../src/base/errors.ts';
import { decodeRanges } from '../../../../../src/image/formats/decode.ts';
import { describeVhd, parseFooter } from '../../../../../src/image/formats/vhd/footer.ts';
import { dynamicVhd, sealVhd } from '../../../../support/dynamic-vhd.ts';
import { decodeStream, everyFailure, everyWay, failureOf, fragmentedDisks, rangesOf } from '../mapped-disks.ts';

const BLOCK = 4096;
const TABLE = 1536;

/** Blocks 0 and 10 of twelve. */
function image(creator?: string): { file: Buffer; disk: Buffer } {
  const disk = Buffer.alloc(12 * BLOCK);
  disk.fill('first', 0, BLOCK);
  disk.fill('later', 10 * BLOCK, 11 * BLOCK);
  return { file: dynamicVhd(disk, { blockSize: BLOCK, ...(creator === undefined ? {} : { creator }) }), disk };
}

describe('dynamic VHD', () => {
  it('reads the same disk from a stream as by ranges, wherever its blocks lie, and wherever it goes on', async () => {
    await fc.assert(
      fc.asyncProperty(fragmentedDisks(BLOCK), async ({ disk, order }) => {
        const file = dynamicVhd(disk, { blockSize: BLOCK, order });
        for await (const decoded of everyWay('vhd', file)) expect(decoded.equals(disk)).to.equal(true);
      }),
      { numRuns: 50 },
    );
  });

  it('reads blocks whose bitmaps are larger than a sector', async () => {
    const disk = Buffer.alloc(9 * 1024 * 1024 + 512, 'large');
    const file = dynamicVhd(disk, { blockSize: 4 * 1024 * 1024, order: [2, 0, 1] });
    for await (const decoded of everyWay('vhd', file)) expect(decoded.equals(disk)).to.equal(true);
  });

  it('has the size that its creator means: that of the footer, or that of the geometry', () => {
    const { file, disk } = image();
    const geometry = 16 * 17 * 512;
    const byCreator = (creator: string, cylinders: number): Buffer => {
      const footer = Buffer.from(image(creator).file.subarray(0, 512));
      footer.writeUInt16BE(cylinders, 56);
      sealVhd(footer);
      return footer;
    };
    for (const creator of ['qem2', 'win ', 'd2v ', 'tap\0', 'CTXS', 'wa\0\0', 'vbox', 'new\0']) {
      expect(parseFooter(byCreator(creator, 1)).size, creator).to.equal(disk.length);
      expect(describeVhd(byCreator(creator, 1)).virtualSize, creator).to.equal(disk.length);
    }
    for (const creator of ['vpc ', 'vs  ', 'qemu']) {
      expect(parseFooter(byCreator(creator, 1)).size, creator).to.equal(geometry);
      expect(describeVhd(byCreator(creator, 1)).virtualSize, creator).to.equal(geometry);
      expect(parseFooter(byCreator(creator, 0)).size, creator).to.equal(disk.length);
    }
    file.write('vpc ', 28);
    file.writeUInt32BE(0xffff10ff, 56);
    sealVhd(file);
    expect(parseFooter(file).size).to.equal(disk.length);
  });

  it('leaves out what lies behind the size that the geometry makes', async () => {
    const disk = Buffer.alloc(12 * BLOCK, 'data');
    const file = dynamicVhd(disk, { blockSize: BLOCK, creator: 'vpc ' });
    const { size } = parseFooter(file);
    for await (const decoded of everyWay('vhd', file)) expect(decoded.equals(disk.subarray(0, size))).to.equal(true);
  });

  it('says when the file ends too early', async () => {
    const { file } = image();
    // The footer behind the last block tells nothing new.
    for (const length of [100, 600, TABLE, TABLE + 20, TABLE + 1024 + BLOCK, file.length - 513]) {
      for await (const { way, failure } of everyFailure('vhd', file.subarray(0, length))) {
        expect(failure, `${length} ${way}`).to.have.property('code', 'TruncatedImage');
      }
    }
  });

  it('refuses headers and tables that lie, and what needs another file', async () => {
    const lies: [name: string, change: (file: Buffer) => unknown, code: string][] = [
      ['checksum', (file) => file.writeUInt8(1, 500), 'InvalidImage'],
      ['differencing', (file) => (file.writeUInt32BE(4, 60), sealVhd(file)), 'UnsupportedImage'],
      ['no dynamic header', (file) => file.write('cxspurse', 512), 'InvalidImage'],
      ['block size', (file) => file.writeUInt32BE(5000, 512 + 32), 'InvalidImage'],
      ['block size 0', (file) => file.writeUInt32BE(0, 512 + 32), 'InvalidImage'],
      ['entries', (file) => file.writeUInt32BE(11, 512 + 28), 'InvalidImage'],
      ['size', (file) => (file.writeBigUInt64BE(2n ** 62n, 48), sealVhd(file)), 'InvalidImage'],
      ['table in its header', (file) => file.writeBigUInt64BE(512n, 512 + 16), 'InvalidImage'],
      ['table beyond any file', (file) => file.writeBigUInt64BE(2n ** 62n, 512 + 16), 'InvalidImage'],
      ['block in its header', (file) => file.writeUInt32BE(1, TABLE), 'InvalidImage'],
      ['block in its table', (file) => file.writeUInt32BE(2, TABLE), 'InvalidImage'],
    ];
    for (const [name, change, code] of lies) {
      const { file } = image();
      change(file);
      for await (const { way, failure } of everyFailure('vhd', file)) {
        expect(failure, `${name}, ${way}`).to.have.property('code', code);
      }
    }
  });

  it('refuses a disk that is larger than any before anything is allocated for it', async () => {
    const { file } = image();
    file.writeBigUInt64BE(2n ** 50n, 48);
    sealVhd(file);
    file.writeUInt32BE(2 ** 31, 512 + 32);
    file.writeUInt32BE(2 ** 32 - 1, 512 + 28);
    expect(await failureOf(decodeStream('vhd', file))).to.have.property('code', 'InvalidImage');
  });

  it('leaves VHDs of other kinds to qemu-img', async () => {
    const { file } = image();
    file.writeUInt32BE(2, 60);
    sealVhd(file);
    expect(await failureOf(decodeStream('vhd', file))).to.be.instanceOf(RandomAccessNeeded);
    expect(await decodeRanges('vhd', rangesOf(file))).to.equal(undefined);
  });
});
