import { expect } from 'chai';
import fc from 'fast-check';
import { controllerOf, differs, ownerReference } from '../../../src/kube/apply.ts';

describe('differs', () => {
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: 'claim',
      uid: '1',
      resourceVersion: '7',
      labels: { app: 'disks', theirs: 'x' },
      finalizers: ['kubernetes.io/pvc-protection', 'example.com/ours'],
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Pod', name: 'theirs', uid: '2' },
        { apiVersion: 'v1', kind: 'Pod', name: 'ours', uid: '3', controller: true },
      ],
    },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, volumeMode: 'Filesystem' },
  };

  it('does not see what only the actual object has', () => {
    expect(differs({ metadata: { name: 'claim', labels: { app: 'disks' } } }, claim)).to.equal(false);
    expect(differs({ spec: { resources: { requests: { storage: '1Gi' } } } }, claim)).to.equal(false);
  });

  it('sees another value, a missing field, and a missing object', () => {
    expect(differs({ spec: { resources: { requests: { storage: '2Gi' } } } }, claim)).to.equal(true);
    expect(differs({ metadata: { annotations: { a: 'b' } } }, claim)).to.equal(true);
    expect(differs({ metadata: { name: 'claim' } }, undefined)).to.equal(true);
  });

  it('takes null for: not there; undefined for: whatever; empty for: none', () => {
    expect(differs({ metadata: { labels: { app: null } } }, claim)).to.equal(true);
    expect(differs({ metadata: { labels: { gone: null } } }, claim)).to.equal(false);
    expect(differs({ metadata: { labels: undefined } }, claim)).to.equal(false);
    expect(differs({ metadata: { annotations: {} }, status: { conditions: [] } }, claim)).to.equal(false);
    expect(differs({ metadata: { annotations: { a: null } } }, claim)).to.equal(false);
    expect(differs({ metadata: { finalizers: [] } }, claim)).to.equal(true);
  });

  it('does not take false, zero and the empty string for nothing', () => {
    expect(differs({ ready: false }, {})).to.equal(true);
    expect(differs({ count: 0 }, {})).to.equal(true);
    expect(differs({ text: '' }, {})).to.equal(true);
    expect(differs({ count: 0 }, { count: 0 })).to.equal(false);
  });

  it('compares lists item by item', () => {
    expect(differs({ spec: { accessModes: ['ReadWriteOnce'] } }, claim)).to.equal(false);
    expect(differs({ spec: { accessModes: ['ReadWriteMany'] } }, claim)).to.equal(true);
    expect(differs({ spec: { accessModes: ['ReadWriteOnce', 'ReadWriteMany'] } }, claim)).to.equal(true);
    const actual = { containers: [{ name: 'a', image: 'b', terminationMessagePath: '/dev/termination-log' }] };
    expect(differs({ containers: [{ name: 'a', image: 'b' }] }, actual)).to.equal(false);
    expect(differs({ containers: [{ name: 'a', image: 'c' }] }, actual)).to.equal(true);
    expect(differs({ containers: [] }, actual)).to.equal(true);
  });

  it('looks for finalizers and owners among those of others', () => {
    const { ownerReferences } = claim.metadata;
    expect(differs({ metadata: { finalizers: ['example.com/ours'] } }, claim)).to.equal(false);
    expect(differs({ metadata: { finalizers: ['example.com/another'] } }, claim)).to.equal(true);
    expect(differs({ metadata: { ownerReferences: [ownerReferences[1]] } }, claim)).to.equal(false);
    expect(differs({ metadata: { ownerReferences: [{ ...ownerReferences[1], uid: '4' }] } }, claim)).to.equal(true);
  });

  it('finds no difference between any value and itself, nor a part of it', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => !differs(value, structuredClone(value))));
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (object, name) => {
        const part = { ...object };
        delete part[name];
        // Nothing at all is not a part: it says that there must be nothing.
        fc.pre(Object.keys(part).length > 0);
        return !differs(part, object);
      }),
    );
  });

  it('finds a difference once a scalar is another one', () => {
    const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean());
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 5 }), scalar, scalar, (path, one, other) => {
        const wrap = (value: unknown) => path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), { value });
        return differs(wrap(one), wrap(other)) === (one !== other);
      }),
    );
  });
});

describe('ownerReference', () => {
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owner', uid: '1' } };

  it('names the owner, and the one that manages the dependent', () => {
    expect(ownerReference(owner)).to.deep.equal({ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: '1' });
    const reference = ownerReference(owner, { controller: true });
    expect(reference).to.include({ controller: true, blockOwnerDeletion: true });
    const other = ownerReference(owner);
    expect(controllerOf({ metadata: { ownerReferences: [other, reference] } })).to.equal(reference);
    expect(controllerOf({ metadata: { ownerReferences: [other] } })).to.equal(undefined);
  });

  it('refuses an owner that is only an idea', () => {
    expect(() => ownerReference({ ...owner, metadata: { name: 'owner' } })).to.throw(TypeError);
  });
});
