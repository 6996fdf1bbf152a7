import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { Interner } from '../../../src/kube/interner.ts';

describe('Interner', () => {
  it('leaves every object as it was, and frozen in all its depth', () => {
    const interner = new Interner();
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const copy = structuredClone(value);
        const interned = interner.intern(value);
        expect(isDeepStrictEqual(interned, copy)).to.equal(true);
        expect(allFrozen(interned)).to.equal(true);
      }),
    );
  });

  it('leaves the new state of every object as it is, whatever the old one was', () => {
    const interner = new Interner();
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (old, value) => {
        const copy = structuredClone(value);
        expect(isDeepStrictEqual(interner.intern(value, interner.intern(old)), copy)).to.equal(true);
      }),
    );
  });

  it('keeps what did not change, and what the object before has, too, once', () => {
    const interner = new Interner();
    const object = (name: string, phase: string) => ({
      name,
      spec: { size: '1Gi', modes: ['ReadWriteOnce'] },
      labels: { app: 'images' },
      status: { phase },
    });
    const one = interner.intern(object('one', 'Pending'));
    const two = interner.intern(object('two', 'Pending'));
    expect(two.spec).to.equal(one.spec);
    expect(two.status).to.equal(one.status);
    interner.intern({ ...object('three', 'Failed'), spec: { size: '2Gi', modes: [] as string[] } });
    const changed = interner.intern(object('one', 'Bound'), one);
    expect(changed).to.deep.equal(object('one', 'Bound'));
    expect(changed.spec).to.equal(one.spec);
    expect(changed.labels).to.equal(one.labels);
  });

  it('takes no part of another object for one that it only inherits', () => {
    const interner = new Interner();
    const parse = (text: string): Record<string, Record<string, unknown>> => JSON.parse(text) as never;
    const one = interner.intern(parse('{"template":{"labels":{}}}'));
    const two = interner.intern(parse('{"template":{"__proto__":{}}}'));
    expect(two['template']).not.to.equal(one['template']);
    expect(Object.keys(two['template'] ?? {})).to.deep.equal(['__proto__']);
  });

  it('takes no field without a value for one that is not there', () => {
    const interner = new Interner();
    const known: Record<string, unknown> = interner.intern({ kept: 'same', gone: 'field' });
    expect(interner.intern({ kept: 'same', added: undefined }, known)).to.have.keys('kept', 'added');
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
