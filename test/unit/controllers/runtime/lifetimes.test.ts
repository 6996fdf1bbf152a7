import { expect } from 'chai';
import fc from 'fast-check';
import { parseDuration } from '../../../../src/api/duration.ts';
import { lifetimesOf, renewalOf } from '../../../../src/controllers/runtime/lifetimes.ts';

const HOUR = 3_600_000;

describe('lifetimes of certificates', () => {
  it('are durations as Go writes them', () => {
    const cases: Record<string, number | undefined> = {
      '48h0m0s': 48 * HOUR,
      '1.5h': 1.5 * HOUR,
      '90m': 1.5 * HOUR,
      '1h30m': 1.5 * HOUR,
      '1500ms': 1500,
      '0s': 0,
      '': undefined,
      '12': undefined,
      '-1h': undefined,
      '1h ': undefined,
      '1d': undefined,
    };
    for (const [text, milliseconds] of Object.entries(cases)) expect(parseDuration(text), text).to.equal(milliseconds);
  });

  it('are days where nothing else is asked for', () => {
    const day = { duration: 24 * HOUR, renewBefore: 12 * HOUR };
    const expected = { ca: { duration: 48 * HOUR, renewBefore: 24 * HOUR }, server: day, client: day };
    expect(lifetimesOf(undefined)).to.deep.equal(expected);
    expect(lifetimesOf({ ca: {}, server: { duration: 'a day' } })).to.deep.equal(expected);
  });

  it('are half over when they are replaced, unless that is said, too', () => {
    expect(lifetimesOf({ ca: { duration: '10h' } }).ca).to.deep.equal({ duration: 10 * HOUR, renewBefore: 5 * HOUR });
  });

  it('are never over before they are replaced, nor replaced as soon as they have begun', () => {
    const positive = fc.integer({ min: 60_000, max: 1000 * HOUR });
    fc.assert(
      fc.property(positive, positive, fc.double({ min: 0, max: 0.99, noNaN: true }), (life, duration, share) => {
        const renewal = renewalOf(0, life, { duration, renewBefore: duration * share });
        expect(renewal).to.be.within(1, life);
      }),
    );
  });
});
