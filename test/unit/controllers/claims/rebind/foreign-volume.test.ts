import { expect } from 'chai';
import { finalizer } from '../../../../../src/api/finalizers.ts';
import { originOfVolume, requireOwnVolume } from '../../../../../src/controllers/claims/rebind/foreign-volume.ts';
import {
  handedToAnnotation,
  promisedToAnnotation,
} from '../../../../../src/controllers/objects/internal-annotations.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../../../src/kube/builtin-resources.ts';
import { cachesOf } from '../../caches.ts';

const bound: PersistentVolumeClaim = {
  metadata: { namespace: 'team', name: 'disk', uid: 'of-disk', finalizers: [finalizer.clonePopulator] },
  spec: { volumeName: 'volume' },
  status: { phase: 'Bound' },
};
const volumeWith = (annotations: Record<string, string>): PersistentVolume => ({
  metadata: { name: 'volume', annotations },
  spec: { claimRef: { uid: 'of-disk' } },
});
const originIn = (volumes: PersistentVolume[], claim = bound) => originOfVolume(cachesOf({ volumes }), claim);

describe('the volume of a populated claim', () => {
  it('is its own from the promise on', () => {
    expect(originIn([volumeWith({ [promisedToAnnotation]: 'of-disk' })])).to.equal('own');
    expect(originIn([volumeWith({ [handedToAnnotation]: 'of-disk' })])).to.equal('own');
  });

  it('is foreign where Kubernetes has bound the claim to one that was there', () => {
    const volumes = [volumeWith({})];
    expect(originIn(volumes)).to.equal('foreign');
    expect(originIn([volumeWith({ [handedToAnnotation]: 'of-another' })])).to.equal('foreign');
    expect(() => requireOwnVolume(cachesOf({ volumes }), bound))
      .to.throw('Kubernetes has bound claim team/disk to volume "volume"')
      .with.property('reason', 'ErrClaimNotValid');
  });

  it('is waited for while the cache does not have it', () => {
    expect(originIn([])).to.equal('unknown');
    expect(() => requireOwnVolume(cachesOf({ volumes: [] }), bound)).to.throw('is not known yet');
  });

  it('is believed where the claim has been released, or is not bound', () => {
    const released = { ...bound, metadata: { ...bound.metadata, finalizers: [] } };
    expect(originIn([volumeWith({})], released)).to.equal('own');
    expect(originIn([volumeWith({})], { ...bound, status: { phase: 'Pending' } })).to.equal('own');
  });
});
