import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import type { RangeReader } from '../../../../src/base/source.ts';
import { CachingReader } from '../../../../src/image/conversion/caching-reader.ts';

const MEBIBYTE = 1024 * 1024;
const SIZE = 60 * MEBIBYTE + 12345;
/** Another value at every place that matters, without sixty mebibytes to keep. */
const byteAt = (offset: number) => (Math.floor(offset / 4096) * 31 + Math.floor(offset / MEBIBYTE)) % 251;

function fill(memory: Buffer, offset: number): Buffer {
  for (let at = 0; at < memory.length;) {
    const next = Math.min(memory.length, at + 4096 - ((offset + at) % 4096));
    memory.fill(byteAt(offset + at), at, next);
    at = next;
  }
  return memory;
}

class Source implements RangeReader {
  readonly size = SIZE;
  reads: number[] = [];
  failing = new Set<number>();

  async read(offset: number, length: number, memory = Buffer.alloc(length)): Promise<Buffer> {
    this.reads.push(offset);
    await setImmediate();
    if (this.failing.delete(offset)) throw new Error('broken');
    return fill(memory.subarray(0, length), offset);
  }
}

describe('CachingReader', () => {
  const head = fill(Buffer.alloc(100_000), 0);
  const part = fc
    .tuple(fc.nat(SIZE - 1), fc.integer({ min: 1, max: 2.5 * MEBIBYTE }))
    .map(([offset, length]) => ({ offset, length: Math.min(length, SIZE - offset) }));

  it('lends what there is, which stays as it is for as long as it is lent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(part, { minLength: 1, maxLength: 16 }), { maxLength: 12 }), async (rounds) => {
        const reader = new CachingReader(new Source(), head);
        for (const parts of rounds) {
          const all = parts.map(({ offset, length }) =>
            reader.lend(offset, length, async (pieces) => {
              for (let turns = 0; turns < 3; turns += 1) await setImmediate();
              expect(Buffer.concat(pieces).equals(fill(Buffer.alloc(length), offset))).to.equal(true);
            }),
          );
          await Promise.all(all);
          expect(reader.memory.most).to.be.at.most(24 * MEBIBYTE);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('reads a file that is gone through in order once, in large pieces', async () => {
    const source = new Source();
    const reader = new CachingReader(source, head);
    for (let offset = 0; offset < SIZE; offset += 65_536) {
      await reader.lend(offset, Math.min(65_536, SIZE - offset), async () => undefined);
    }
    expect(source.reads).to.deep.equal(Array.from({ length: 61 }, (_, index) => index * MEBIBYTE));
  });

  it('gives up the memory of what could not be read', async () => {
    const source = new Source();
    const reader = new CachingReader(source, head);
    for (let round = 0; round < 30; round += 1) {
      for (let index = 1; index < 4; index += 1) source.failing.add(index * MEBIBYTE);
      const failure = await reader.lend(MEBIBYTE, 3 * MEBIBYTE, async () => undefined).catch((error: unknown) => error);
      expect(failure).to.have.property('message', 'broken');
    }
    await reader.lend(MEBIBYTE, 19 * MEBIBYTE, async () => undefined);
    expect(reader.memory.most).to.be.at.most(24 * MEBIBYTE);
    const tooMuch = reader.lend(0, 22 * MEBIBYTE, async () => undefined).catch((error: unknown) => error);
    expect(await tooMuch).to.be.instanceOf(RangeError);
  });

  it('asks for what could not be read again, once somebody needs it', async () => {
    const source = new Source();
    source.failing.add(5 * MEBIBYTE);
    const reader = new CachingReader(source, head);
    const lend = async () => reader.lend(5 * MEBIBYTE, 10, async () => undefined);
    expect(await lend().catch((error: unknown) => error)).to.have.property('message', 'broken');
    await lend();
  });
});
