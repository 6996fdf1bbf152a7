import { randomFillSync } from 'node:crypto';
import { deflateRawSync, zstdCompressSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { blockThreadCount } from '../../../../src/codec/decompress/decoder-threads.ts';
import { BlockInflater } from '../../../../src/image/formats/block-inflater.ts';

const MEBIBYTE = 1024 * 1024;
/** Bytes in all blocks of a disk: several times as many as there is memory for. */
const DISK = 20 * MEBIBYTE;
/** Batches that are written from where they are. */
const LENT = 3;
/** For the alignment of each batch, in bytes. */
const SLACK = (blockThreadCount + 2 + LENT) * 4096;
const compressors = { raw: deflateRawSync, zstd: zstdCompressSync };

/** How much of each block is random: what is not is zeros. */
const contents = fc.constantFrom(0, 0.1, 0.5, 0.99, 0.997, 1);

describe('a block inflater', function () {
  this.timeout(120_000);

  for (const codec of ['raw', 'zstd'] as const) {
    for (const blockSize of [512, 4096, 65_536, 2 * MEBIBYTE]) {
      it(`has no more memory than its limit, for blocks of ${blockSize} bytes (${codec})`, async () => {
        const blocks = Math.min(DISK / blockSize, 2000);
        const plan = fc.record({
          random: fc.array(contents, { minLength: 1, maxLength: 4 }),
          plainEvery: fc.integer({ min: 1, max: 20 }),
          plainLength: fc.constantFrom(blockSize, 3 * blockSize, 65_536),
          delay: fc.boolean(),
          isLent: fc.boolean(),
        });
        await fc.assert(
          fc.asyncProperty(plan, async ({ random, plainEvery, plainLength, delay, isLent }) => {
            const samples = random.map((share) => sample(blockSize, share));
            const compressed = samples.map((bytes) => compressors[codec](bytes));
            const inflater = new BlockInflater({
              ...{ codec, blockSize, diskSize: Number.MAX_SAFE_INTEGER },
              failure: () => new Error('a block is damaged'),
            });
            const { inputs, rooms } = inflater.memory;
            const expected = new Map<number, Buffer>();
            const writes: Promise<void>[] = [];
            let next = 0;
            const check = (offset: number, data: Buffer) => {
              const batches = (blockThreadCount + 2) * 2 + (isLent ? LENT : 0);
              expect(inputs.most + rooms.most).to.be.at.most(batches * Math.max(MEBIBYTE, blockSize + 512) + SLACK);
              for (let at = 0; at < data.length;) {
                const part = expected.get(offset + at);
                if (part === undefined) throw new Error(`nothing was to come at ${offset + at}`);
                expect(data.subarray(at, at + part.length).equals(part)).to.equal(true);
                expected.delete(offset + at);
                at += part.length;
              }
            };
            const take = async () => {
              for await (const { offset, data, keepUntil } of inflater.takeFirst()) {
                // The target is slower than the decoder.
                const written = (delay ? new Promise(setImmediate) : Promise.resolve()).then(() => {
                  check(offset, data);
                });
                if (isLent) keepUntil?.(written);
                else await written;
                writes.push(written);
              }
            };
            for (let index = 0; index < blocks; index += 1) {
              const which = index % samples.length;
              const bytes = compressed[which] ?? Buffer.alloc(0);
              while (!inflater.start(bytes, index, next)) await take();
              expected.set(next, samples[which] ?? Buffer.alloc(0));
              next += blockSize;
              if (index % plainEvery !== 0 || !inflater.takesPlain(plainLength)) continue;
              const plain = Buffer.alloc(plainLength, index);
              while (!inflater.addPlain(plain, index, next)) await take();
              expected.set(next, plain);
              next += plainLength;
            }
            for await (const { offset, data } of inflater.takeAll()) check(offset, data);
            await Promise.all(writes);
            expect(expected.size).to.equal(0);
            inflater.close();
            expect(inputs.size + rooms.size).to.equal(0);
          }),
          { numRuns: 4 },
        );
      });
    }
  }

  it('makes room for a block that takes twice its size, and refuses one that could never be had', async () => {
    const blockSize = 2 * MEBIBYTE;
    const inflater = new BlockInflater({
      ...{ codec: 'raw', blockSize, diskSize: Infinity },
      failure: () => new Error('a block is damaged'),
    });
    const bytes = Buffer.concat([deflateRawSync(sample(blockSize, 0.5)), Buffer.alloc(2 * blockSize)]);
    for (const length of [blockSize, 2 * blockSize, 2 * blockSize, 2 * blockSize, blockSize + 700]) {
      while (!inflater.start(bytes.subarray(0, length), 0, 0)) {
        for await (const { data } of inflater.takeFirst()) expect(data.length).to.equal(blockSize);
      }
      expect(inflater.memory.inputs.size).to.be.at.most(inflater.memory.inputs.limit);
    }
    expect(() => inflater.start(Buffer.alloc(32 * blockSize), 0, 0)).to.throw(RangeError);
    inflater.close();
  });
});

function sample(length: number, random: number): Buffer {
  const bytes = Buffer.alloc(length);
  randomFillSync(bytes, 0, Math.floor(length * random));
  return bytes;
}
