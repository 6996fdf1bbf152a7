import { expect } from 'chai';
import { snapshotTrouble, type VolumeSnapshot } from '../../../src/kube/snapshot-resources.ts';

const snapshotWith = (message?: string): VolumeSnapshot => ({
  metadata: { name: 'daily', namespace: 'team' },
  spec: { source: { persistentVolumeClaimName: 'golden' } },
  status: message === undefined ? {} : { error: { message } },
});

describe('why a snapshot is not ready', () => {
  it('is what its status says', () => {
    expect(snapshotTrouble(snapshotWith('no such volume'))).to.equal('no such volume');
    expect(snapshotTrouble(snapshotWith())).to.equal(undefined);
  });

  it('is no conflict, which the snapshot controller overcomes by itself', () => {
    const conflict =
      'snapshot controller failed to update golden on API server: Operation cannot be fulfilled on ' +
      'persistentvolumeclaims "golden": the object has been modified; please apply your changes to the latest version';
    expect(snapshotTrouble(snapshotWith(conflict))).to.equal(undefined);
  });
});
