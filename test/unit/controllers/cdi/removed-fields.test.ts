import { expect } from 'chai';
import fc from 'fast-check';
import { removedFrom, withoutEmptied } from '../../../../src/controllers/cdi/removed-fields.ts';

/** RFC 7386. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === 'object' && target !== null && !Array.isArray(target);
  const result: Record<string, unknown> = isObject ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(result[name], value);
  }
  return result;
}

describe('fields that were taken away', () => {
  it('are removed at any depth, and nothing else is', () => {
    const recorded = { proxy: { http: 'a', https: 'b' }, list: [1, 2], classes: { a: '1', b: '2' }, scratch: 'x' };
    const wanted = { proxy: { http: 'c' }, list: [1], classes: { b: '2' } };
    expect(removedFrom(recorded, wanted)).to.deep.equal({
      proxy: { https: null },
      classes: { a: null },
      scratch: null,
    });
    expect(removedFrom(recorded, recorded)).to.equal(undefined);
    expect(removedFrom(undefined, wanted)).to.equal(undefined);
  });

  it('are not named as a map of none where there were some', () => {
    const recorded = { overhead: { classes: { a: '1' } }, limits: { cpu: '1' }, none: {}, list: [1] };
    const wanted = { overhead: { classes: {} }, limits: { cpu: '2' }, none: {}, list: [], fresh: {} };
    expect(withoutEmptied(recorded, wanted)).to.deep.equal({
      limits: { cpu: '2' },
      none: {},
      list: [],
      fresh: {},
    });
    expect(withoutEmptied(undefined, wanted)).to.deep.equal(wanted);
  });

  it('leave what is wanted, whatever there was before', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, fc.constantFrom('x', 1, true), fc.array(fc.constant(1)), tie('map')),
      map: fc.dictionary(name, tie('value')),
    }));
    const map = fc.dictionary(name, value);
    fc.assert(
      fc.property(map, map, (recorded, wanted) => {
        const applied = merged(recorded, wanted);
        expect(merged(applied, removedFrom(applied, wanted) ?? {})).to.deep.equal(wanted);
      }),
    );
  });
});
