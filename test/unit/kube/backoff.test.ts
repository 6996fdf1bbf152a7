import { expect } from 'chai';
import { Backoff, backoffDelay } from '../../../src/kube/backoff.ts';

describe('backoffDelay', () => {
  const options = { base: 50, max: 300_000 };

  it('doubles up to the limit', () => {
    expect([1, 2, 3, 4].map((failures) => backoffDelay(failures, options))).to.deep.equal([50, 100, 200, 400]);
    expect(backoffDelay(14, options)).to.equal(300_000);
    expect(backoffDelay(100_000, options)).to.equal(300_000);
  });

  it('spreads the delay around itself', () => {
    const spread = { ...options, jitter: 0.5 };
    expect(backoffDelay(1, spread, () => 0)).to.equal(25);
    expect(backoffDelay(1, spread, () => 0.5)).to.equal(50);
    expect(backoffDelay(1, spread, () => 1)).to.equal(75);
  });
});

describe('Backoff', () => {
  it('begins anew when it is reset', () => {
    const backoff = new Backoff({ base: 10, max: 100 });
    expect([backoff.next(), backoff.next(), backoff.next()]).to.deep.equal([10, 20, 40]);
    backoff.reset();
    expect(backoff.next()).to.equal(10);
  });
});
