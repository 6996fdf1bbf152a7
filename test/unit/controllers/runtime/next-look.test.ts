import { expect } from 'chai';
import { untilNextLook } from '../../../../src/controllers/runtime/latest-warning.ts';

describe('looking at the events of an object that waits', () => {
  const after = (seconds: number) =>
    untilNextLook(
      { now: () => Date.parse('2026-01-01T00:00:00Z') + seconds * 1000 },
      { metadata: { creationTimestamp: '2026-01-01T00:00:00Z' } },
    );

  it('is done less often the longer it waits', () => {
    expect([0, 10, 60, 3600].map(after)).to.deep.equal([2_000, 2_500, 15_000, 30_000]);
  });

  it('goes on where the clock is behind, or the age is not known', () => {
    expect(after(-60)).to.equal(2_000);
    expect(untilNextLook({ now: () => 0 }, {})).to.equal(2_000);
  });
});
