import { expect } from 'chai';
import fc from 'fast-check';
import { mergePatchBetween } from '../../../../src/controllers/cdi/merge-patch.ts';

/** RFC 7396. */
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

describe('a merge patch between two objects', () => {
  it('names what changed at any depth, and nothing else', () => {
    const recorded = { proxy: { http: 'a', https: 'b' }, list: [1, 2], classes: { a: '1', b: '2' }, scratch: 'x' };
    const wanted = { proxy: { http: 'c' }, list: [1], classes: { b: '2' }, none: {} };
    expect(mergePatchBetween(recorded, wanted)).to.deep.equal({
      proxy: { http: 'c', https: null },
      list: [1],
      classes: { a: null },
      scratch: null,
      none: {},
    });
    expect(mergePatchBetween(recorded, recorded)).to.equal(undefined);
    expect(mergePatchBetween(undefined, wanted)).to.deep.equal(wanted);
  });

  it('takes the last field of a map away, and keeps the map', () => {
    const recorded = { overhead: { classes: { a: '1' } } };
    expect(mergePatchBetween(recorded, { overhead: { classes: {} } })).to.deep.equal({
      overhead: { classes: { a: null } },
    });
  });

  it('makes what is wanted of whatever there was', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, fc.constantFrom('x', 1, true), fc.array(fc.constant(1)), tie('map')),
      map: fc.dictionary(name, tie('value')),
    }));
    const map = fc.dictionary(name, value);
    fc.assert(
      fc.property(map, map, (recorded, wanted) => {
        expect(merged(recorded, mergePatchBetween(recorded, wanted) ?? {})).to.deep.equal(wanted);
      }),
    );
  });
});
