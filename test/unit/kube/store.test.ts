import { expect } from 'chai';
import fc from 'fast-check';
import { defineIndex } from '../../../src/kube/object-index.ts';
import type { KubeObject } from '../../../src/kube/resource.ts';
import { Store } from '../../../src/kube/store.ts';

interface Tagged extends KubeObject {
  tags: string[];
}

const object = (name: string, tags: string[]): Tagged => ({ metadata: { namespace: 'ns', name }, tags });

const byTag = defineIndex<Tagged>(({ tags }) => tags);

describe('Store', () => {
  it('tells objects of different namespaces apart', () => {
    const store = new Store<KubeObject>();
    for (const namespace of ['a', 'b']) store.set({ metadata: { namespace, name: 'same' } });
    store.set({ metadata: { name: 'same' } });
    expect(store.size).to.equal(3);
    expect(store.get({ namespace: 'b', name: 'same' })?.metadata?.namespace).to.equal('b');
    expect(store.get({ namespace: '', name: 'same' })?.metadata?.namespace).to.equal(undefined);
  });

  it('indexes what is there when it is first looked for by an index', () => {
    const store = new Store<Tagged>();
    store.set(object('one', ['red', 'round']));
    expect(store.byIndex(byTag, 'round')).to.have.length(1);
    expect(store.byIndex(byTag, 'blue')).to.deep.equal([]);
  });

  it('goes through an object once for an index, however often that is looked into', () => {
    const store = new Store<Tagged>();
    store.set(object('one', ['red']));
    let looks = 0;
    const counting = defineIndex<Tagged>(({ tags }) => {
      looks++;
      return tags;
    });
    for (let time = 0; time < 3; time++) expect(store.byIndex(counting, 'red')).to.have.length(1);
    expect(looks).to.equal(1);
  });

  it('has indexes that agree with a search, after any changes', () => {
    const tag = fc.constantFrom('red', 'green', 'blue');
    const change = fc.record({ name: fc.constantFrom('1', '2', '3', '4'), tags: fc.option(fc.uniqueArray(tag)) });
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const store = new Store<Tagged>();
        store.byIndex(byTag, 'red');
        const model = new Map<string, Tagged>();
        for (const { name, tags } of changes) {
          if (tags) {
            model.set(name, object(name, tags));
            store.set(model.get(name)!);
          } else {
            model.delete(name);
            store.delete({ namespace: 'ns', name });
          }
        }
        expect(store.list()).to.have.members([...model.values()]);
        for (const tag of ['red', 'green', 'blue']) {
          const expected = [...model.values()].filter(({ tags }) => tags.includes(tag));
          expect(store.byIndex(byTag, tag)).to.have.members(expected);
        }
      }),
    );
  });
});
