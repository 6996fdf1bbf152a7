import { deflateRawSync, zstdCompressSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { ByteReader } from '../../../src/transfer/bytes.ts';
import { RandomAccessNeeded, TransferError } from '../../../src/transfer/errors.ts';
import { parseHeader } from '../../../src/transfer/formats/qcow2/header.ts';
import { decodeQcow2 } from '../../../src/transfer/formats/qcow2/stream.ts';
import { zstdFrameLength } from '../../../src/transfer/formats/qcow2/zstd-frame.ts';
import { lend } from './streams.ts';

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

async function decode(file: Buffer, size = SIZE): Promise<Buffer> {
  const { extents, virtualSize } = await decodeQcow2(new ByteReader(lend(file, Array<number>(1000).fill(1500))));
  expect(virtualSize).to.equal(size);
  const disk = Buffer.alloc(size);
  for await (const { offset, data } of extents) {
    expect(offset + data.length).to.be.at.most(size);
    data.copy(disk, offset);
  }
  return disk;
}

describe('qcow2 from a stream', () => {
  for (const compression of ['zlib', 'zstd'] as const) {
    it(`puts plain and ${compression} clusters where they belong`, async () => {
      const { file, disk } = image(compression);
      expect((await decode(file)).equals(disk)).to.equal(true);
    });
  }

  it('goes on from any position that it had come to', async () => {
    const { file, disk } = image();
    const reader = (): ByteReader => new ByteReader(lend(file, Array<number>(1000).fill(1500)));
    const all = await decodeQcow2(reader());
    const written = Buffer.alloc(SIZE);
    let positions = 0;
    for await (const { offset, data } of all.extents) {
      data.copy(written, offset);
      positions += 1;
      const completed = Buffer.from(written);
      const left = await decodeQcow2(reader(), all.position);
      for await (const extent of left.extents) {
        expect(extent.offset).not.to.equal(offset);
        extent.data.copy(completed, extent.offset);
      }
      expect(completed.equals(disk)).to.equal(true);
    }
    expect(positions).to.equal(3);
  });

  it('needs random access where a table comes after what it maps', async () => {
    const { file } = image();
    const l2 = Buffer.from(file.subarray(2 * CLUSTER, 3 * CLUSTER));
    const far = 3 * 1024 * 1024;
    const moved = Buffer.concat([file, Buffer.alloc(far - file.length), l2]);
    moved.writeBigUInt64BE(BigInt(far), CLUSTER);
    // The first cluster lies so far before its table that it is not kept in mind.
    moved.writeBigUInt64BE(BigInt(CLUSTER * 600), far + 8 * 20);
    moved.writeBigUInt64BE(BigInt(CLUSTER), far);
    expect(await decode(moved).catch((error: unknown) => error)).to.be.instanceOf(RandomAccessNeeded);
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
          const { extents, virtualSize = 0 } = await decodeQcow2(new ByteReader(lend(damaged, [4096])));
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
