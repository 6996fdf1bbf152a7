import { expect } from 'chai';
import fc from 'fast-check';
import { MemoryPool } from '../../../src/base/memory-pool.ts';

const UNIT = 16;
const LIMIT = 10 * UNIT;

describe('a memory pool', () => {
  it('never has more than its limit, whatever is taken and given back in whatever order', () => {
    const steps = fc.array(
      fc.oneof(
        fc.integer({ min: 0, max: LIMIT }),
        fc.nat(9).map((which) => ({ which })),
      ),
    );
    fc.assert(
      fc.property(steps, (list) => {
        const pool = new MemoryPool(LIMIT, UNIT);
        const taken: ArrayBuffer[] = [];
        for (const step of list) {
          if (typeof step === 'object') {
            const [memory] = taken.splice(step.which, 1);
            if (memory !== undefined) pool.giveBack(memory);
          } else {
            const { available } = pool;
            const memory = pool.take(step);
            // Spare pieces that are too short make room for one that is not.
            expect(memory !== undefined).to.equal(Math.max(1, Math.ceil(step / UNIT)) * UNIT <= available);
            if (memory !== undefined) taken.push(memory);
            expect(memory?.byteLength ?? Infinity).to.be.at.least(step);
          }
          const held = taken.reduce((sum, { byteLength }) => sum + byteLength, 0);
          expect(pool.size).to.be.within(held, LIMIT);
          expect(pool.available).to.equal(LIMIT - held);
          expect(pool.most).to.be.within(pool.size, LIMIT);
          expect(new Set(taken).size).to.equal(taken.length);
        }
        pool.close();
        for (const memory of taken) pool.giveBack(memory);
        expect(pool.size).to.equal(0);
      }),
    );
  });

  it('says so where nobody could ever give back enough', () => {
    expect(() => new MemoryPool(LIMIT, UNIT).take(LIMIT + 1)).to.throw(RangeError, '176 bytes');
  });

  it('frees memory without waiting for the collector', () => {
    const pool = new MemoryPool(LIMIT, UNIT);
    const memory = pool.take();
    if (memory === undefined) throw new Error('there is memory');
    pool.giveBack(memory);
    pool.close();
    expect(memory).to.have.property('detached', true);
  });
});
