import { expect } from 'chai';
import fc from 'fast-check';
import { MemoryPool } from '../../../../../src/base/memory-pool.ts';
import type { RangeReader } from '../../../../../src/base/source.ts';
import { imageFailures } from '../../../../../src/image/formats/image-failures.ts';
import { RunBuilder } from '../../../../../src/image/formats/mapped/pieces.ts';
import { readGroups } from '../../../../../src/image/formats/mapped/range-groups.ts';
import { Schedule } from '../../../../../src/image/formats/mapped/schedule.ts';

const MEBIBYTE = 1024 * 1024;
const LIMIT = 8 * MEBIBYTE;
const SIZE = 256 * MEBIBYTE;

/** Writes into the memory it is given where in the file it is, some turns later. */
class SlowRanges implements RangeReader {
  readonly size = SIZE;

  async read(offset: number, length: number, memory = Buffer.alloc(length)): Promise<Buffer> {
    for (let turns = offset % 5; turns > 0; turns -= 1) await new Promise(setImmediate);
    memory.writeDoubleLE(offset);
    return memory;
  }
}

describe('pieces of a file that are read ahead', () => {
  const piece = fc.record({
    gap: fc.constantFrom(0, 1, 1000, 100_000, 3 * MEBIBYTE),
    length: fc.constantFrom(8, 512, 65_536, MEBIBYTE, 2 * MEBIBYTE + 300, 4 * MEBIBYTE),
  });

  it('have no more memory than its limit, and what is lent stays as it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), fc.nat(30), async (pieces, most) => {
        const run = new RunBuilder();
        let host = 0;
        for (const { gap, length } of pieces) {
          run.addWhole(host + gap, host, length);
          host += gap + length;
        }
        const memory = new MemoryPool(LIMIT, MEBIBYTE);
        const ranges = new SlowRanges();
        const options = { ranges, schedule: new Schedule(run.finish()), failures: imageFailures('test'), memory };
        let taken = 0;
        let groups = 0;
        for await (const { start, pieces: placed, bytes } of readGroups(options)) {
          const data = await bytes;
          for (let turns = 0; turns < 4; turns += 1) await new Promise(setImmediate);
          expect(data.readDoubleLE()).to.equal(start);
          taken += placed.length;
          groups += 1;
          // Who leaves early leaves reads behind.
          if (groups > most) break;
        }
        if (groups <= most) expect(taken).to.equal(pieces.length);
        expect(memory.most).to.be.at.most(LIMIT);
        expect(memory.size).to.equal(0);
      }),
      { numRuns: 60 },
    );
  });
});
