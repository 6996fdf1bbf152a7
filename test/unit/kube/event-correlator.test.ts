import { expect } from 'chai';
import { DEFAULT_LIMITS, EventCorrelator, type EventFacts } from '../../../src/kube/event-correlator.ts';

describe('EventCorrelator', () => {
  const facts: EventFacts = {
    subject: 'uid',
    component: 'tests',
    type: 'Normal',
    reason: 'Reason',
    message: 'message',
  };
  let correlator: EventCorrelator;

  beforeEach(() => {
    correlator = new EventCorrelator({ ...DEFAULT_LIMITS, similar: 3, burst: 5, refill: 1000, expiry: 10_000 });
  });

  it('counts what happens again as one series', () => {
    const { series } = correlator.correlate(facts, 0);
    expect(correlator.correlate(facts, 100).series).to.equal(series);
    expect(series).to.include({ first: 0, last: 100, count: 2 });
  });

  it('keeps what differs apart', () => {
    const { series } = correlator.correlate(facts, 0);
    for (const other of [
      { subject: 'other' },
      { component: 'other' },
      { type: 'Warning' as const },
      { reason: 'Other' },
      { message: 'other' },
    ]) {
      expect(correlator.correlate({ ...facts, ...other }, 0).series).to.not.equal(series);
    }
  });

  it('begins a new series after a long time', () => {
    const { series } = correlator.correlate(facts, 0);
    const later = correlator.correlate(facts, 10_001).series;
    expect(later).to.not.equal(series);
    expect(later).to.include({ first: 10_001, count: 1 });
  });

  it('joins messages once there are too many of them, but goes on with those it knows', () => {
    const of = (message: string) => correlator.correlate({ ...facts, message }, 0).series;
    const known = of('1');
    of('2');
    of('3');
    const combined = of('4');
    expect(combined.facts.message).to.equal('(combined from similar events) 3');
    expect(of('5')).to.equal(combined);
    expect(of('1')).to.equal(known);
  });

  it('lets so many be written about one object, then one now and then, and counts them all', () => {
    const writes = (now: number) => correlator.correlate(facts, now).write;
    expect([1, 2, 3, 4, 5, 6, 7].map(() => writes(0))).to.deep.equal([true, true, true, true, true, false, false]);
    expect(writes(1500)).to.equal(true);
    expect(writes(1600)).to.equal(false);
    expect(correlator.correlate({ ...facts, subject: 'other' }, 1600).write).to.equal(true);
    expect(correlator.correlate(facts, 1600).series.count).to.equal(10);
  });

  it('forgets the oldest when it has to remember too much', () => {
    correlator = new EventCorrelator({ ...DEFAULT_LIMITS, remembered: 10 });
    const { series } = correlator.correlate({ ...facts, subject: 'oldest' }, 0);
    for (let index = 0; index < 9; index++) correlator.correlate({ ...facts, subject: `${index}` }, 0);
    expect(correlator.correlate({ ...facts, subject: 'oldest' }, 0).series).to.equal(series);
    for (let index = 0; index < 10; index++) correlator.correlate({ ...facts, subject: `${index}` }, 0);
    expect(correlator.correlate({ ...facts, subject: 'oldest' }, 0).series).to.not.equal(series);
  });
});
