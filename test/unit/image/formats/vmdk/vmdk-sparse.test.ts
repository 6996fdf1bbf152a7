import { expect } from 'chai';
import fc from 'fast-check';
import { RandomAccessNeeded } from '../../../../../src/base/errors.ts';
import { decodeRanges } from '../../../../../src/image/formats/decode.ts';
import { sparseVmdk } from '../../../../support/sparse-vmdk.ts';
import {
  completed,
  decodeStream,
  everyFailure,
  everyWay,
  failureOf,
  fragmentedDisks,
  rangesOf,
} from '../mapped-disks.ts';

const GRAIN = 4096;
const SHAPE = { grainSize: GRAIN, entries: 8 };
const DIRECTORY = 21 * 512;
const TABLE = DIRECTORY + 512;

/** Grains 0 and 10 of twelve, which two tables map. */
function image(more: { tablesLast?: boolean } = {}): { file: Buffer; disk: Buffer } {
  const disk = Buffer.alloc(12 * GRAIN);
  disk.fill('first', 0, GRAIN);
  disk.fill('later', 10 * GRAIN, 11 * GRAIN);
  return { file: sparseVmdk(disk, { ...SHAPE, ...more }), disk };
}

describe('sparse VMDK', () => {
  it('reads the same disk from a stream as by ranges, wherever its grains lie, and wherever it goes on', async () => {
    await fc.assert(
      fc.asyncProperty(fragmentedDisks(GRAIN), async ({ disk, order }) => {
        const file = sparseVmdk(disk, { ...SHAPE, order });
        for await (const decoded of everyWay('vmdk', file)) expect(decoded.equals(disk)).to.equal(true);
      }),
      { numRuns: 50 },
    );
  });

  it('needs ranges where grain tables lie behind what they map', async () => {
    const { file, disk } = image({ tablesLast: true });
    expect(await failureOf(decodeStream('vmdk', file).then(completed))).to.be.instanceOf(RandomAccessNeeded);
    const ranges = rangesOf(file);
    expect((await completed(await decodeStream('vmdk', file, { ranges }))).equals(disk)).to.equal(true);
    expect((await completed(await decodeRanges('vmdk', ranges))).equals(disk)).to.equal(true);
  });

  it('leaves compressed grains without markers, and a directory at the end, to qemu-img', async () => {
    const compressed = image().file;
    compressed.writeUInt32LE(0x10001, 8);
    compressed.writeUInt16LE(1, 77);
    const directoryAtEnd = image().file;
    directoryAtEnd.fill(0xff, 56, 64);
    for (const file of [compressed, directoryAtEnd]) {
      const ranges = rangesOf(file);
      expect(await failureOf(decodeStream('vmdk', file, { ranges }).then(completed))).to.be.instanceOf(
        RandomAccessNeeded,
      );
      expect(await decodeRanges('vmdk', ranges)).to.equal(undefined);
    }
  });

  it('says when the file ends too early', async () => {
    const { file } = image();
    for (const length of [100, DIRECTORY, TABLE, TABLE + 600, TABLE + 1024 + GRAIN, file.length - 1]) {
      for await (const { way, failure } of everyFailure('vmdk', file.subarray(0, length))) {
        expect(failure, `${length} ${way}`).to.have.property('code', 'TruncatedImage');
      }
    }
  });

  it('refuses tables that are taken for data or for another table, and what needs other files', async () => {
    const lies: [name: string, change: (file: Buffer) => unknown, code: string][] = [
      ['directory in its header', (file) => file.writeBigUInt64LE(0n, 56), 'InvalidImage'],
      ['one table for two', (file) => file.copy(file, DIRECTORY + 4, DIRECTORY, DIRECTORY + 4), 'InvalidImage'],
      ['a table for data', (file) => file.writeUInt32LE(TABLE / 512, TABLE), 'InvalidImage'],
      ['several files', (file) => file.write('\nRW 1 SPARSE "b"\n', 1000), 'UnsupportedImage'],
      ['a parent', (file) => file.write('\nparentCID=00000001\n', 1000), 'UnsupportedImage'],
    ];
    for (const [name, change, code] of lies) {
      const { file } = image();
      change(file);
      for await (const { way, failure } of everyFailure('vmdk', file)) {
        expect(failure, `${name}, ${way}`).to.have.property('code', code);
      }
    }
  });
});
