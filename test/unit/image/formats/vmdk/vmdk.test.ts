import { expect } from 'chai';
import fc from 'fast-check';
import { ByteReader } from '../../../../../src/base/bytes.ts';
import { RandomAccessNeeded, TransferError } from '../../../../../src/base/errors.ts';
import { decodeDisk } from '../../../../../src/image/formats/decode.ts';
import { streamOptimizedVmdk } from '../../../../support/stream-optimized-vmdk.ts';
import { lend } from '../../../base/streams.ts';

const GRAIN = 4096;
/** Two grain tables and a part of a grain. */
const SIZE = 20 * GRAIN + 512;
const SHAPE = { grainSize: GRAIN, entries: 16 };

function disk(): Buffer {
  const bytes = Buffer.alloc(SIZE);
  bytes.fill('first', 0, 100);
  bytes.fill('grain', 7 * GRAIN, 9 * GRAIN);
  bytes.fill('later', 18 * GRAIN, 19 * GRAIN);
  bytes.fill('last', 20 * GRAIN);
  return bytes;
}

async function decode(file: Buffer): Promise<Buffer> {
  const { virtualSize = 0, extents } = await decodeDisk(
    'vmdk',
    new ByteReader(lend(file, Array<number>(1000).fill(5000))),
    {},
  );
  const decoded = Buffer.alloc(Math.min(virtualSize, 2 * SIZE));
  for await (const { offset, data } of extents) {
    expect(offset + data.length).to.be.at.most(virtualSize);
    data.copy(decoded, offset);
  }
  return decoded;
}

const failure = (file: Buffer): Promise<unknown> => decode(file).catch((error: unknown) => error);

describe('VMDK from a stream', () => {
  const file = streamOptimizedVmdk(disk(), SHAPE);

  it('puts grains where they belong', async () => {
    expect((await decode(file)).equals(disk())).to.equal(true);
    const cut = streamOptimizedVmdk(disk(), { ...SHAPE, endsWithDisk: true });
    expect((await decode(cut)).equals(disk())).to.equal(true);
    expect(await decode(streamOptimizedVmdk(Buffer.alloc(SIZE), SHAPE))).to.deep.equal(Buffer.alloc(SIZE));
  });

  it('never takes a part for the whole', async () => {
    for (let length = file.length - 512; length > 0; length -= 512) {
      expect(await failure(file.subarray(0, length)), `${length}`).to.have.property('code', 'TruncatedImage');
    }
  });

  it('believes neither grains nor tables alone', async () => {
    const places: [name: string, at: number][] = [
      ['entry of the second grain table', file.indexOf(table(file, 2)) + 8],
      ['grain directory', file.length - 4 * 512],
      ['grain directory’s place in the footer', file.length - 2 * 512 + 56],
      ['capacity in the footer', file.length - 2 * 512 + 12],
    ];
    for (const [name, at] of places) {
      const damaged = Buffer.from(file);
      damaged.writeUInt8((damaged[at] ?? 0) ^ 1, at);
      expect(await failure(damaged), name).to.have.property('code', 'InvalidImage');
    }
  });

  it('says what it refuses', async () => {
    const refused = async (change: (bytes: Buffer) => void): Promise<string> => {
      const changed = Buffer.from(file);
      change(changed);
      const error = await failure(changed);
      expect(error).to.have.property('code', 'UnsupportedImage');
      return (error as Error).message;
    };
    const parent = '\nparentCID=12345678\n';
    expect(await refused((bytes) => bytes.write(parent, 1024))).to.match(/other files/);
    const extents = '\nRW 1 SPARSE "a"\nRW 1 SPARSE "b"\n';
    expect(await refused((bytes) => bytes.write(extents, 1024))).to.match(/split into \d files/);
    expect(await refused((bytes) => bytes.write('\nencryption.keySafe = "x"\n', 1024))).to.match(/encrypted/);
    expect(await refused((bytes) => bytes.writeUInt32LE(9, 4))).to.match(/version 9/);
  });

  it('survives any damage', async () => {
    const damage = fc.array(fc.tuple(fc.nat(file.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const damaged = Buffer.from(file);
        for (const [at, value] of changes) damaged[at] = value;
        const error = await failure(damaged);
        if (Buffer.isBuffer(error)) return;
        if (!(error instanceof TransferError) && !(error instanceof RandomAccessNeeded)) throw error;
      }),
      { numRuns: 100 },
    );
  });
});

/** The marker of the grain table that comes as the `nth`. */
function table(file: Buffer, nth: number): Buffer {
  let found = 0;
  for (let at = 0; at < file.length; at += 512) {
    const block = file.subarray(at, at + 512);
    if (block.readUInt32LE(8) === 0 && block.readUInt32LE(12) === 1 && block.readUInt32LE(0) === 1) found += 1;
    if (found === nth) return file.subarray(at + 512, at + 1024);
  }
  throw new Error('there is no such table');
}
