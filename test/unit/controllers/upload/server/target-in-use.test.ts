import { expect } from 'chai';
import { requireNotInUse } from '../../../../../src/controllers/upload/server/target-in-use.ts';
import type { Pod } from '../../../../../src/kube/builtin-resources.ts';
import { cachesOf } from '../../caches.ts';

const claim = { metadata: { namespace: 'team', name: 'disk', uid: 'of-disk' } };

function inUseBy(status: Pod['status'], annotations: Record<string, string> = {}, claimName = 'disk'): boolean {
  const pod: Pod = {
    metadata: { namespace: 'team', name: 'machine', annotations },
    spec: { containers: [], volumes: [{ name: 'disk', persistentVolumeClaim: { claimName } }] },
    status,
  };
  try {
    requireNotInUse(cachesOf({ pods: [pod] }), claim);
    return false;
  } catch (error) {
    expect(error).to.have.property('reason', 'UploadTargetInUse');
    expect(error).to.have.property('message').that.includes('"machine"');
    return true;
  }
}

describe('a claim that an upload would overwrite', () => {
  it('is in use by a pod that runs, by one whose init containers have begun, and by one on a node that is lost', () => {
    const initContainer = (state: object) => ({
      name: 'first',
      image: '',
      imageID: '',
      ready: false,
      restartCount: 0,
      state,
    });
    expect(inUseBy({ phase: 'Running' })).to.equal(true);
    expect(inUseBy({ phase: 'Unknown' })).to.equal(true);
    for (const state of [{ running: {} }, { terminated: { exitCode: 0 } }])
      expect(inUseBy({ phase: 'Pending', initContainerStatuses: [initContainer(state)] })).to.equal(true);
    expect(inUseBy({ phase: 'Pending', initContainerStatuses: [initContainer({ waiting: {} })] })).to.equal(false);
  });

  it('is in use neither by pods that wait for their start nor by those that have ended', () => {
    for (const status of [undefined, { phase: 'Pending' }, { phase: 'Succeeded' }, { phase: 'Failed' }])
      expect(inUseBy(status)).to.equal(false);
  });

  it('is in use neither by the pods of the upload itself nor by those on other claims', () => {
    expect(inUseBy({ phase: 'Running' }, { 'cdi.kubevirt.io/work.targetUID': 'of-disk' })).to.equal(false);
    expect(inUseBy({ phase: 'Running' }, { 'cdi.kubevirt.io/work.targetUID': 'of-another' })).to.equal(true);
    expect(inUseBy({ phase: 'Running' }, {}, 'other')).to.equal(false);
  });
});
