import { expect } from 'chai';
import { enqueueFrom } from '../../../src/kube/event-source.ts';
import type { Change, Informer } from '../../../src/kube/informer.ts';
import { Interner } from '../../../src/kube/interner.ts';
import { keyToString } from '../../../src/kube/key.ts';
import type { KubeObject } from '../../../src/kube/resource.ts';

interface Thing extends KubeObject {
  spec: { readonly text: string; readonly owner?: string };
  status?: { readonly list: readonly string[] };
}

const thing = (version: number, more: Partial<Thing> = {}): Thing => ({
  metadata: { namespace: 'team', name: 'one', uid: 'a', resourceVersion: String(version), labels: { app: 'x' } },
  spec: { text: 'long' },
  status: { list: ['a', 'b'] },
  ...more,
});

/** Returns the keys that a controller is woken for by a change, of states as a cache has them. */
function wokenBy(
  type: Change<Thing>['type'],
  states: readonly [Thing, Thing?],
  toKeys?: (object: Thing) => { namespace: string; name: string }[],
  options?: Parameters<typeof enqueueFrom<Thing>>[2],
): string[] {
  const interner = new Interner();
  const previous = states[1] && interner.intern(states[1]);
  const object = interner.intern(states[0], previous);
  let listener: (change: Change<Thing>) => void = () => undefined;
  const informer = { onChange: (told: typeof listener) => (listener = told), list: () => [] };
  const keys: string[] = [];
  enqueueFrom(informer as unknown as Informer<Thing>, toKeys, options).attach((key) => keys.push(keyToString(key)));
  listener({ type, object, ...(previous && { previous }) });
  return [...new Set(keys)];
}

describe('enqueueFrom', () => {
  it('wakes for objects that come, change and go', () => {
    expect(wokenBy('added', [thing(1)])).to.deep.equal(['team/one']);
    expect(wokenBy('deleted', [thing(1)])).to.deep.equal(['team/one']);
    expect(wokenBy('modified', [thing(2, { spec: { text: 'short' } }), thing(1)])).to.deep.equal(['team/one']);
  });

  it('wakes for any change but one of the version', () => {
    const { metadata } = thing(2);
    const changed: Partial<Thing>[] = [
      { status: { list: ['b', 'a'] } },
      { status: { list: ['a'] } },
      { spec: { text: 'long', owner: 'somebody' } },
      { metadata: { ...metadata, labels: { app: 'y' } } },
      { metadata: { ...metadata, annotations: { note: '' } } },
      { metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
      { metadata: { ...metadata, generation: 2 } },
    ];
    for (const more of changed)
      expect(wokenBy('modified', [thing(2, more), thing(1)]), JSON.stringify(more)).to.have.length(1);
    const { status, ...without } = thing(2);
    expect(wokenBy('modified', [without, thing(1)]), `without ${JSON.stringify(status)}`).to.have.length(1);
    expect(wokenBy('modified', [thing(2), thing(1)])).to.deep.equal([]);
  });

  it('wakes those that the object concerned before, too', () => {
    const owners = ({ spec }: Thing) => [{ namespace: 'team', name: spec.owner ?? 'nobody' }];
    const owned = (version: number, owner: string) => thing(version, { spec: { text: 'long', owner } });
    expect(wokenBy('modified', [owned(2, 'new'), owned(1, 'old')], owners)).to.deep.equal(['team/new', 'team/old']);
  });

  it('leaves out changes that a controller ignores, but no objects that come or go', () => {
    const ignores = (object: Thing, previous: Thing) => object.spec === previous.spec;
    const status = { list: ['c'] };
    expect(wokenBy('modified', [thing(2, { status }), thing(1)], undefined, { ignores })).to.deep.equal([]);
    const changed = thing(2, { status, spec: { text: '' } });
    expect(wokenBy('modified', [changed, thing(1)], undefined, { ignores })).to.have.length(1);
    expect(wokenBy('added', [thing(1)], undefined, { ignores })).to.have.length(1);
    expect(wokenBy('deleted', [thing(1)], undefined, { ignores })).to.have.length(1);
  });
});
