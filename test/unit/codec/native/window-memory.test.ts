import { expect } from 'chai';
import { array, assert, boolean, integer, property, tuple } from 'fast-check';
import { WindowMemory } from '../../../../src/codec/native/window-memory.ts';

const MEBIBYTE = 1024 * 1024;

describe('memory for windows of decoders', () => {
  it('is never more than the limit, and is all there again when everybody has given theirs back', () => {
    const sizes = array(tuple(integer({ min: 0, max: 90 * MEBIBYTE }), boolean()), { maxLength: 40 });
    assert(
      property(sizes, (steps) => {
        const memory = new WindowMemory(128 * MEBIBYTE);
        const held: number[] = [];
        for (const [bytes, takes] of steps) {
          const returned = takes ? undefined : held.pop();
          if (returned !== undefined) memory.release(returned);
          else if (memory.reserve(bytes)) held.push(bytes);
          expect(memory.used).to.be.at.most(memory.limit);
          expect(memory.used).to.be.at.least(held.reduce((sum, each) => sum + each, 0));
        }
        for (const bytes of held) memory.release(bytes);
        expect(memory.used).to.equal(0);
      }),
    );
  });

  it('can be asked for within less than the limit', () => {
    const memory = new WindowMemory(128 * MEBIBYTE);
    expect(memory.reserve(40 * MEBIBYTE, 64 * MEBIBYTE)).to.equal(true);
    expect(memory.reserve(40 * MEBIBYTE, 64 * MEBIBYTE)).to.equal(false);
    expect(memory.reserve(40 * MEBIBYTE)).to.equal(true);
  });
});
