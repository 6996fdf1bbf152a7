import { expect } from 'chai';
import { ProvisionerGrace } from '../../../../src/controllers/claims/provisioner-grace.ts';
import { cachesOf } from '../caches.ts';

describe('the time that the provisioner of a claim is given', () => {
  const caches = cachesOf({
    storageClasses: [
      { metadata: { name: 'late' }, provisioner: 'csi.example', volumeBindingMode: 'WaitForFirstConsumer' },
      { metadata: { name: 'early' }, provisioner: 'csi.example' },
      { metadata: { name: 'static' }, provisioner: 'kubernetes.io/no-provisioner' },
    ],
  });
  const claim = (annotations = {}, storageClassName = 'early') => ({
    metadata: { name: 'disk', namespace: 'team', uid: 'of-disk', annotations },
    spec: { storageClassName },
  });

  it('begins when it is first asked for, and ends, however late that is noticed', () => {
    let now = 1_000_000;
    const grace = new ProvisionerGrace(caches, () => now);
    expect(grace.left(claim())).to.equal(15_000);
    now += 11_000;
    expect(grace.left(claim())).to.equal(4_000);
    now += 50_000;
    expect(grace.left(claim())).to.equal(0);
    now += 100;
    expect(grace.left(claim())).to.equal(0);
  });

  it('is over once the provisioner is written, or the claim is bound', () => {
    const grace = new ProvisionerGrace(caches, () => 0);
    expect(grace.left(claim({ 'volume.kubernetes.io/storage-provisioner': 'csi.example' }))).to.equal(0);
    const bound = { ...claim(), spec: { volumeName: 'volume' }, status: { phase: 'Bound' } };
    expect(grace.left(bound)).to.equal(0);
  });

  it('is not needed by a claim that has no node yet, for which nobody provisions anything', () => {
    const grace = new ProvisionerGrace(caches, () => 0);
    expect(grace.left(claim({}, 'late'))).to.equal(0);
    expect(grace.left(claim({ 'volume.kubernetes.io/selected-node': 'node1' }, 'late'))).to.equal(15_000);
  });

  it('is short where the claim may never get one', () => {
    for (const name of ['static', 'unknown', '']) {
      expect(new ProvisionerGrace(caches, () => 0).left(claim({}, name)), name).to.equal(2_000);
    }
  });
});
