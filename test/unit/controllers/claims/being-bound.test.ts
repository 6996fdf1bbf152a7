import { expect } from 'chai';
import { isBeingBound } from '../../../../src/controllers/claims/being-bound.ts';
import type { PersistentVolumeClaim } from '../../../../src/kube/builtin-resources.ts';
import { Interner } from '../../../../src/kube/interner.ts';

const before: PersistentVolumeClaim = {
  metadata: { namespace: 'team', name: 'disk', uid: 'a', resourceVersion: '1', annotations: { note: 'one' } },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  status: { phase: 'Pending' },
};
const BOUND = { 'pv.kubernetes.io/bind-completed': 'yes', 'pv.kubernetes.io/bound-by-controller': 'yes' };

/** Returns the two states as a cache has them. */
function states(change: (claim: PersistentVolumeClaim) => void, previous = before) {
  const interner = new Interner();
  const known = interner.intern(structuredClone(previous));
  const changed = structuredClone(previous);
  changed.metadata!.resourceVersion = '2';
  change(changed);
  return [interner.intern(changed, known), known] as const;
}

function nameVolume({ metadata, spec }: PersistentVolumeClaim): void {
  metadata!.annotations = { ...metadata!.annotations, ...BOUND };
  spec!.volumeName = 'volume';
}

describe('a claim of which Kubernetes has named the volume', () => {
  it('is not bound yet', () => {
    expect(isBeingBound(...states(nameVolume))).to.equal(true);
  });

  const more: Record<string, (claim: PersistentVolumeClaim) => void> = {
    'is bound, too': ({ status }) => (status!.phase = 'Bound'),
    'has another annotation': ({ metadata }) => (metadata!.annotations!['note'] = 'two'),
    'is being deleted': ({ metadata }) => (metadata!.deletionTimestamp = '2026-01-01T00:00:00Z'),
    'has a finalizer': ({ metadata }) => (metadata!.finalizers = ['example.org/kept']),
    'asks for more': ({ spec }) => (spec!.resources = { requests: { storage: '2Gi' } }),
  };
  for (const [what, change] of Object.entries(more)) {
    it(`has changed in more than that where it ${what}`, () => {
      const both = states((claim) => {
        nameVolume(claim);
        change(claim);
      });
      expect(isBeingBound(...both)).to.equal(false);
    });
  }

  it('is none that somebody else has named a volume for', () => {
    expect(isBeingBound(...states(({ spec }) => (spec!.volumeName = 'volume')))).to.equal(false);
  });

  it('is none that has only the marks of it, or loses them', () => {
    const { metadata, ...rest } = before;
    const marked = { ...rest, metadata: { ...metadata, annotations: { ...metadata?.annotations, ...BOUND } } };
    expect(isBeingBound(...states((claim) => (claim.metadata!.annotations = BOUND)))).to.equal(false);
    const loses = (claim: PersistentVolumeClaim) => {
      claim.metadata!.annotations = { note: 'one' };
      claim.spec!.volumeName = 'volume';
    };
    expect(isBeingBound(...states(loses, marked))).to.equal(false);
  });

  it('is none that has become bound by it', () => {
    expect(isBeingBound(...states(nameVolume, { ...before, status: { phase: 'Bound' } }))).to.equal(false);
  });

  it('is none that had one', () => {
    const named = { ...before, spec: { ...before.spec, volumeName: 'other' } };
    expect(isBeingBound(...states(nameVolume, named))).to.equal(false);
  });
});
