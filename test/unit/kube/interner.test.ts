import { expect } from 'chai';
import fc from 'fast-check';
import { Interner } from '../../../src/kube/interner.ts';

describe('Interner', () => {
  it('leaves every object as it was, and frozen in all its depth', () => {
    const interner = new Interner();
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const copy = structuredClone(value);
        expect(interner.intern(value)).to.equal(value).and.to.deep.equal(copy);
        expect(allFrozen(value)).to.be.true;
      }),
    );
  });

  it('goes on when it has seen more strings than it remembers', () => {
    const interner = new Interner();
    for (let at = 0; at < 10_000; at++) expect(interner.intern([`string ${at}`])).to.deep.equal([`string ${at}`]);
  });
});

function allFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(allFrozen);
}
