import { expect } from 'chai';
import { RecentPeak } from '../../../../src/controllers/runtime/recent-peak.ts';

describe('the recent peak of numbers', () => {
  it('is the greatest of the latest ones', () => {
    const peak = new RecentPeak();
    expect([10, 50, 30].map((number) => peak.of(number, 1_000))).to.deep.equal([10, 50, 50]);
  });

  it('is forgotten by and by', () => {
    const peak = new RecentPeak();
    peak.of(80, 1_000);
    expect(peak.of(1, 31_000)).to.equal(40);
    expect(peak.of(1, 61_000)).to.equal(20);
    expect(peak.of(1, 1_000_000)).to.equal(1);
  });

  it('can be forgotten at once', () => {
    const peak = new RecentPeak();
    peak.of(80, 1_000);
    peak.reset();
    expect(peak.of(1, 1_000)).to.equal(1);
  });

  it('is none of a time to come, where the clock was set back', () => {
    const peak = new RecentPeak();
    peak.of(80, 1_000_000);
    expect(peak.of(1, 1_000)).to.equal(1);
  });
});
