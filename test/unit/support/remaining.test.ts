import { expect } from 'chai';
import fc from 'fast-check';
import { remaining, roughly } from '../../support/remaining.ts';

describe('how long the tests will still take', () => {
  it('follows what they took before, and how fast this machine is today', () => {
    const recorded = new Map(Object.entries({ quick: 1_000, slow: 9_000, long: 20_000 }));
    expect(remaining(['quick', 'slow'], ['long'], 5_000, recorded)).to.equal(10_000);
  });

  it('takes a test without a record for an ordinary one', () => {
    expect(remaining(['known'], ['new'], 4_000, new Map([['known', 2_000]]))).to.equal(4_000);
    expect(remaining(['first'], ['second', 'third'], 4_000, new Map())).to.equal(8_000);
  });

  it('is not known before anything is done', () => {
    expect(remaining([], ['all'], 0, new Map([['all', 1_000]]))).to.equal(undefined);
  });

  it('is nothing when all is done', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 1 }), fc.integer({ min: 1 }), (titles, elapsed) => {
        expect(remaining(titles, [], elapsed, new Map())).to.equal(0);
      }),
    );
  });

  it('is told no finer than it is known', () => {
    expect([roughly(3_000), roughly(61_000), roughly(100_000), roughly(600_000)]).to.deep.equal([
      '10 s',
      '70 s',
      '2 min',
      '10 min',
    ]);
  });
});
