import { expect } from 'chai';
import fc from 'fast-check';
import type { KubeObject } from '../../../src/kube/resource.ts';
import { Store } from '../../../src/kube/store.ts';

interface Tagged extends KubeObject {
  tags: string[];
}

const object = (name: string, tags: string[]): Tagged => ({ metadata: { namespace: 'ns', name }, tags });

describe('Store', () => {
  it('tells objects of different namespaces apart', () => {
    const store = new Store<KubeObject>();
    for (const namespace of ['a', 'b']) store.set({ metadata: { namespace, name: 'same' } });
    store.set({ metadata: { name: 'same' } });
    expect(store.size).to.equal(3);
    expect(store.get({ namespace: 'b', name: 'same' })?.metadata?.namespace).to.equal('b');
    expect(store.get({ namespace: '', name: 'same' })?.metadata?.namespace).to.equal(undefined);
  });

  it('indexes what is there when an index is added', () => {
    const store = new Store<Tagged>();
    store.set(object('one', ['red', 'round']));
    store.addIndex('tag', ({ tags }) => tags);
    expect(store.byIndex('tag', 'round')).to.have.length(1);
    expect(store.byIndex('tag', 'blue')).to.deep.equal([]);
  });

  it('refuses an index that is not there, and one that is', () => {
    const store = new Store<Tagged>();
    expect(() => store.byIndex('tag', 'red')).to.throw('no index tag');
    store.addIndex('tag', ({ tags }) => tags);
    expect(() => store.addIndex('tag', ({ tags }) => tags)).to.throw('an index tag already');
  });

  it('has indexes that agree with a search, after any changes', () => {
    const tag = fc.constantFrom('red', 'green', 'blue');
    const change = fc.record({ name: fc.constantFrom('1', '2', '3', '4'), tags: fc.option(fc.uniqueArray(tag)) });
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const store = new Store<Tagged>();
        store.addIndex('tag', ({ tags }) => tags);
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
          expect(store.byIndex('tag', tag)).to.have.members(expected);
        }
      }),
    );
  });
});
