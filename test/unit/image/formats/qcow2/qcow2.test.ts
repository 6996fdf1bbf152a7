import { deflateRawSync, zstdCompressSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { ByteReader } from '../../../../../src/base/bytes.ts';
import { RandomAccessNeeded, TransferError } from '../../../../../src/base/errors.ts';
import type { RangeReader } from '../../../../../src/base/source.ts';
import { zstdFrameLength } from '../../../../../src/codec/decompress/zstd-frame.ts';
import { decodeDisk, decodeRanges } from '../../../../../src/image/formats/decode.ts';
import type { DecodeOptions } from '../../../../../src/image/formats/decode-options.ts';
import { parseHeader } from '../../../../../src/image/formats/qcow2/header.ts';
import { lend } from '../../../base/streams.ts';

const MEBIBYTE = 1024 * 1024;
const CLUSTER = 4096;
const SIZE = 40 * CLUSTER;

/** A small image: header, L1, L2, then plain and compressed clusters. */
function image(compression: 'zlib' | 'zstd' = 'zlib'): { file: Buffer; disk: Buffer } {
  const header = Buffer.alloc(CLUSTER);
  header.write('QFI\xfb', 0, 'latin1');
  header.writeUInt32BE(3, 4);
  header.writeUInt32BE(12, 20);
  header.writeBigUInt64BE(BigInt(SIZE), 24);
  header.writeUInt32BE(1, 36);
  header.writeBigUInt64BE(BigInt(CLUSTER), 40);
  header.writeBigUInt64BE(compression === 'zstd' ? 8n : 0n, 72);
  header.writeUInt32BE(112, 100);
  header.writeUInt8(compression === 'zstd' ? 1 : 0, 104);
  const l1 = Buffer.alloc(CLUSTER);
  l1.writeBigUInt64BE(BigInt(2 * CLUSTER), 0);
  const l2 = Buffer.alloc(CLUSTER);
  const disk = Buffer.alloc(SIZE);
  disk.fill('plain', 0, 2 * CLUSTER);
  disk.fill('packed', 7 * CLUSTER, 9 * CLUSTER);
  l2.writeBigUInt64BE(BigInt(3 * CLUSTER), 0);
  l2.writeBigUInt64BE(BigInt(4 * CLUSTER), 8);
  const packed: Buffer[] = [];
  let host = 5 * CLUSTER;
  for (const index of [7, 8]) {
    const cluster = disk.subarray(index * CLUSTER, (index + 1) * CLUSTER);
    const data = compression === 'zstd' ? zstdCompressSync(cluster) : deflateRawSync(cluster, { windowBits: 12 });
    const sectors = Math.floor((host + data.length - 1) / 512) - Math.floor(host / 512);
    l2.writeBigUInt64BE((1n << 62n) | (BigInt(sectors) << 58n) | BigInt(host), index * 8);
    packed.push(data);
    host += data.length;
  }
  l2.writeBigUInt64BE(1n, 10 * 8);
  const file = Buffer.concat([header, l1, l2, disk.subarray(0, 2 * CLUSTER), ...packed]);
  return { file: Buffer.concat([file, Buffer.alloc(CLUSTER - (file.length % CLUSTER))]), disk };
}

async function decode(file: Buffer, size = SIZE, options: DecodeOptions = {}): Promise<Buffer> {
  const { extents, virtualSize } = await decodeDisk(
    'qcow2',
    new ByteReader(lend(file, Array<number>(1000).fill(1500))),
    options,
  );
  expect(virtualSize).to.equal(size);
  const disk = Buffer.alloc(size);
  for await (const { offset, data } of extents) {
    expect(offset + data.length).to.be.at.most(size);
    data.copy(disk, offset);
  }
  return disk;
}

function rangesOf(file: Buffer): RangeReader {
  return { size: file.length, read: async (offset, length) => Buffer.from(file.subarray(offset, offset + length)) };
}

describe('qcow2 from a stream', () => {
  for (const compression of ['zlib', 'zstd'] as const) {
    it(`puts plain and ${compression} clusters where they belong`, async () => {
      const { file, disk } = image(compression);
      expect((await decode(file)).equals(disk)).to.equal(true);
    });
  }

  it('goes on from any position that it had come to, be it in another way', async () => {
    const { file, disk } = image();
    const reader = (): ByteReader => new ByteReader(lend(file, Array<number>(1000).fill(1500)));
    const all = await decodeDisk('qcow2', reader(), {});
    const written = Buffer.alloc(SIZE);
    const positions: number[] = [];
    for await (const { offset, data } of all.extents) {
      data.copy(written, offset);
      const { position: from = 0 } = all;
      positions.push(from);
      for (const left of [
        await decodeDisk('qcow2', reader(), { from }),
        await decodeRanges('qcow2', rangesOf(file), from),
      ]) {
        const completed = Buffer.from(written);
        for await (const extent of left?.extents ?? []) {
          expect(extent.offset).not.to.equal(offset);
          extent.data.copy(completed, extent.offset);
        }
        expect(completed.equals(disk)).to.equal(true);
      }
    }
    expect(positions.at(-1)).to.be.greaterThan(5 * CLUSTER);
  });

  /** The first cluster lies farther before its table than is read ahead where the image can be read at random. */
  const behindItsData = (far = 3 * MEBIBYTE): { file: Buffer; disk: Buffer } => {
    const { file, disk } = image();
    const l2 = Buffer.from(file.subarray(2 * CLUSTER, 3 * CLUSTER));
    const moved = Buffer.concat([file, Buffer.alloc(far - file.length), l2, Buffer.alloc(CLUSTER, 'late')]);
    moved.writeBigUInt64BE(BigInt(far), CLUSTER);
    moved.writeBigUInt64BE(BigInt(far + CLUSTER), far + 8 * 20);
    moved.copy(disk, 20 * CLUSTER, far + CLUSTER);
    return { file: moved, disk };
  };

  it('needs random access where a table comes after what it maps', async () => {
    const { file } = behindItsData(40 * MEBIBYTE);
    expect(await decode(file).catch((error: unknown) => error)).to.be.instanceOf(RandomAccessNeeded);
  });

  it('reads ahead to a table that comes after what it maps, where there is no other way', async () => {
    const { file, disk } = behindItsData();
    expect((await decode(file)).equals(disk)).to.equal(true);
  });

  it('goes on piece by piece where a table comes after what it maps', async () => {
    const { file, disk } = behindItsData();
    const ranges = rangesOf(file);
    expect((await decode(file, SIZE, { ranges })).equals(disk)).to.equal(true);
  });

  it('reads data that two places of the disk share', async () => {
    const { file, disk } = image();
    file.writeBigUInt64BE(BigInt(4 * CLUSTER), 2 * CLUSTER + 8 * 30);
    disk.copy(disk, 30 * CLUSTER, CLUSTER, 2 * CLUSTER);
    expect((await decode(file, SIZE, { ranges: rangesOf(file) })).equals(disk)).to.equal(true);
  });

  it('refuses to take tables for data, or one table for two', async () => {
    for (const place of [0, 1, 2]) {
      const { file } = image();
      file.writeBigUInt64BE(place === 0 ? (1n << 62n) | 8n : BigInt(place * CLUSTER), 2 * CLUSTER);
      expect(await decode(file).catch((error: unknown) => error)).to.have.property('code', 'InvalidImage');
    }
    const { file } = image();
    file.writeBigUInt64BE(BigInt(CLUSTER * 512 * 2), 24);
    file.writeUInt32BE(2, 36);
    file.writeBigUInt64BE(BigInt(2 * CLUSTER), CLUSTER + 8);
    const size = CLUSTER * 512 * 2;
    expect(await decode(file, size).catch((error: unknown) => error)).to.have.property('code', 'InvalidImage');
  });

  it('reads the subclusters that are data, and no others', async () => {
    const cluster = 16 * 1024;
    const { file } = image();
    const header = Buffer.alloc(cluster);
    file.copy(header, 0, 0, 112);
    header.writeUInt32BE(14, 20);
    header.writeBigUInt64BE(BigInt(2 * cluster), 24);
    header.writeBigUInt64BE(BigInt(cluster), 40);
    header.writeBigUInt64BE(16n, 72);
    const tables = Buffer.alloc(2 * cluster);
    tables.writeBigUInt64BE(BigInt(2 * cluster), 0);
    tables.writeBigUInt64BE(BigInt(3 * cluster), cluster);
    tables.writeUInt32BE(0x00000008, cluster + 8);
    tables.writeUInt32BE(0x80000005, cluster + 12);
    const data = Buffer.alloc(cluster, 'subclusters');
    const disk = Buffer.alloc(2 * cluster);
    for (const index of [0, 2, 31]) data.copy(disk, index * 512, index * 512, (index + 1) * 512);
    const whole = Buffer.concat([header, tables, data]);
    expect((await decode(whole, 2 * cluster)).equals(disk)).to.equal(true);
    whole.writeUInt32BE(0x00000004, 2 * cluster + 8);
    const contradiction = await decode(whole, 2 * cluster).catch((error: unknown) => error);
    expect(contradiction).to.have.property('code', 'InvalidImage');
  });

  it('names what it refuses: the backing file, the data file, the features', () => {
    const named = (change: (header: Buffer) => void): string => {
      const header = Buffer.from(image().file.subarray(0, 1024));
      change(header);
      try {
        parseHeader(header);
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    };
    const extension = (header: Buffer, type: number, data: Buffer): void => {
      header.writeUInt32BE(type, 112);
      header.writeUInt32BE(data.length, 116);
      data.copy(header, 120);
    };
    const backing = named((header) => {
      header.writeBigUInt64BE(600n, 8);
      header.writeUInt32BE(11, 16);
      header.write('base\u001b.qcow', 600);
    });
    expect(backing).to.contain('the backing file "base?.qcow"');
    const dataFile = named((header) => {
      header.writeBigUInt64BE(4n, 72);
      extension(header, 0x44415441, Buffer.from('disk.raw'));
    });
    expect(dataFile).to.contain('another file, "disk.raw"');
    const features = named((header) => {
      header.writeBigUInt64BE((1n << 40n) | (1n << 41n), 72);
      const name = Buffer.alloc(48);
      name.writeUInt8(40, 1);
      name.write('time travel', 2);
      extension(header, 0x6803f857, name);
    });
    expect(features).to.contain('"time travel", bit 41');
    expect(named((header) => header.writeUInt32BE(2, 32))).to.contain('LUKS');
  });

  it('says when the file ends too early', async () => {
    const { file } = image();
    for (const length of [50, CLUSTER + 100, 2 * CLUSTER + 100, 4 * CLUSTER, 5 * CLUSTER]) {
      const error = await decode(file.subarray(0, length)).catch((reason: unknown) => reason);
      expect(error).to.have.property('code', 'TruncatedImage');
    }
  });

  it('refuses headers that lie, before anything is allocated for them', () => {
    const lies: [name: string, change: (header: Buffer) => void, code: string][] = [
      ['version', (header) => header.writeUInt32BE(9, 4), 'UnsupportedImage'],
      ['backing file', (header) => header.writeUInt32BE(1, 12), 'UnsupportedImage'],
      ['cluster bits', (header) => header.writeUInt32BE(30, 20), 'InvalidImage'],
      ['size', (header) => header.writeBigUInt64BE(2n ** 63n, 24), 'InvalidImage'],
      ['size beyond its table', (header) => header.writeBigUInt64BE(2n ** 40n, 24), 'InvalidImage'],
      ['encryption', (header) => header.writeUInt32BE(1, 32), 'UnsupportedImage'],
      ['L1 size', (header) => header.writeUInt32BE(0xffffffff, 36), 'InvalidImage'],
      ['L1 in its header', (header) => header.writeBigUInt64BE(0n, 40), 'InvalidImage'],
      ['small subclusters', (header) => header.writeBigUInt64BE(16n, 72), 'InvalidImage'],
      ['L1 place', (header) => header.writeBigUInt64BE(5n, 40), 'InvalidImage'],
      ['data file', (header) => header.writeBigUInt64BE(4n, 72), 'UnsupportedImage'],
      ['corrupt', (header) => header.writeBigUInt64BE(2n, 72), 'InvalidImage'],
      ['unknown feature', (header) => header.writeBigUInt64BE(1n << 40n, 72), 'UnsupportedImage'],
      ['compression', (header) => (header.writeBigUInt64BE(8n, 72), header.writeUInt8(7, 104)), 'UnsupportedImage'],
    ];
    for (const [name, change, code] of lies) {
      const header = Buffer.from(image().file.subarray(0, 112));
      change(header);
      expect(() => parseHeader(header), name)
        .to.throw()
        .with.property('code', code);
    }
  });

  it('survives any damage: an error of its own, or extents within the disk', async () => {
    const { file } = image();
    const damage = fc.array(fc.tuple(fc.nat(3 * CLUSTER + 2000), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(damage, async (changes) => {
        const damaged = Buffer.from(file);
        // Most of the first clusters is unused, so that the places are drawn towards what is used.
        for (const [at, value] of changes) damaged[at % 3 === 0 ? at % 112 : at] = value;
        try {
          const { extents, virtualSize = 0 } = await decodeDisk('qcow2', new ByteReader(lend(damaged, [4096])), {});
          for await (const { offset, data } of extents) expect(offset + data.length).to.be.at.most(virtualSize);
        } catch (error) {
          if (!(error instanceof TransferError) && !(error instanceof RandomAccessNeeded)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('zstdFrameLength', () => {
  it('finds where a frame ends among what follows', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300_000 }), fc.uint8Array({ maxLength: 50 }), (content, rest) => {
        const frame = zstdCompressSync(content);
        expect(zstdFrameLength(Buffer.concat([frame, rest]))).to.equal(frame.length);
        expect(zstdFrameLength(frame.subarray(0, frame.length - 1))).to.equal(undefined);
      }),
      { numRuns: 30 },
    );
    expect(zstdFrameLength(Buffer.from('no frame at all'))).to.equal(undefined);
  });
});
