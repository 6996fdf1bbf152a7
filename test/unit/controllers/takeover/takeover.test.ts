import { expect } from 'chai';
import { dataVolumes } from '../../../../src/api/data-volume.ts';
import { isLeftByCdi } from '../../../../src/controllers/objects/left-by-cdi.ts';
import { persistentVolumeClaims, persistentVolumes, pods, services } from '../../../../src/kube/builtin-resources.ts';
import { dataVolumeOfCdi, podOfCdi, temporaryClaimOfCdi, uploadServiceOfCdi } from '../../../support/cdi/claims.ts';
import { STORAGE_CLASS } from '../world/installation.ts';
import { DISK, Takeover } from '../world/takeover.ts';
import { World } from '../world/world.ts';

const POD_PHASE = 'cdi.kubevirt.io/storage.pod.phase';
const http = { source: { http: { url: 'http://server/disk.img' } } };
const importAnnotations = {
  'cdi.kubevirt.io/storage.import.source': 'http',
  'cdi.kubevirt.io/storage.import.endpoint': 'http://server/disk.img',
};
const own = { namespace: 'team', name: 'own' };

/** Counts the pods of ours that are made from now on. */
function madePods({ world }: Takeover): string[] {
  const made: string[] = [];
  world.api.onWrite(({ user, resource, before, after }) => {
    if (user === 'controllers' && resource.kind === 'Pod' && !before) made.push(after?.metadata?.name ?? '');
  });
  return made;
}

const running = { running: {} };
const ended = (exitCode: number, message = '') => ({ terminated: { exitCode, message } });

describe('a cluster of CDI that is taken over', () => {
  describe('an import', () => {
    const importing = async (state: object, podPhase: string, annotations = {}) => {
      const takeover = await Takeover.of('Import', http, 'ImportInProgress');
      const prime = takeover.prime({ ...importAnnotations, [POD_PHASE]: 'Running', ...annotations });
      const name = `importer-${prime.metadata?.name}`;
      const pod = takeover.pod(prime, 'importer', name);
      takeover.tell(pod, podPhase, state);
      const volume = takeover.world.data.volumeOf({ namespace: 'team', name: prime.metadata?.name ?? '' });
      return { takeover, made: madePods(takeover), pod, name, volumeName: volume?.metadata?.name };
    };

    it('goes on in the pod of CDI, and no other pod writes its volume', async () => {
      const { takeover, made, pod, name, volumeName } = await importing(running, 'Running');
      await takeover.rounds();
      expect(takeover.phase).to.equal('ImportInProgress');
      expect(takeover.left).to.include(name);
      takeover.tell(pod, 'Succeeded', ended(0, JSON.stringify({ preallocationApplied: true, labels: {} })));
      await takeover.rounds();
      expect(takeover.phase).to.equal('Succeeded');
      expect(takeover.volumeName).to.equal(volumeName);
      expect(made).to.deep.equal([]);
      expect(takeover.left).to.deep.equal([]);
    });

    // The container is told to have ended before its pod is.
    for (const podPhase of ['Succeeded', 'Running']) {
      it(`that CDI’s container has completed is not repeated, while its pod is ${podPhase}`, async () => {
        const { takeover, made, volumeName } = await importing(ended(0, 'Import Complete'), podPhase);
        await takeover.rounds();
        expect(takeover.phase).to.equal('Succeeded');
        expect(takeover.volumeName).to.equal(volumeName);
        expect(made).to.deep.equal([]);
        expect(takeover.left).to.deep.equal([]);
      });
    }

    it('whose working claim is complete is handed over', async () => {
      const takeover = await Takeover.of('Import', http, 'ImportInProgress');
      takeover.prime({ ...importAnnotations, [POD_PHASE]: 'Succeeded' });
      const made = madePods(takeover);
      await takeover.rounds();
      expect([takeover.phase, made, takeover.left]).to.deep.equal(['Succeeded', [], []]);
    });

    it('that CDI has just handed over leaves nothing behind', async () => {
      const takeover = await Takeover.of('Import', http, 'ImportInProgress', {
        annotations: { [POD_PHASE]: 'Succeeded' },
      });
      takeover.handOver(takeover.prime({ ...importAnnotations, [POD_PHASE]: 'Succeeded' }));
      const { volumeName } = takeover;
      const made = madePods(takeover);
      await takeover.rounds();
      expect([takeover.phase, made, takeover.left]).to.deep.equal(['Succeeded', [], []]);
      expect(takeover.volumeName).to.equal(volumeName);
      expect(takeover.world.api.find(persistentVolumes, { namespace: '', name: volumeName ?? '' })).not.to.be.undefined;
    });

    const lost: Record<string, readonly [state: object, phase: string]> = {
      'has not started': [{ waiting: { reason: 'ImagePullBackOff' } }, 'Pending'],
      'fails again and again': [{ waiting: { reason: 'CrashLoopBackOff' } }, 'Running'],
      'needs scratch space': [ended(0, JSON.stringify({ scratchSpaceRequired: true })), 'Succeeded'],
      'has failed': [ended(1, 'Unable to process data'), 'Failed'],
    };
    for (const [what, [state, phase]] of Object.entries(lost)) {
      it(`begins anew where CDI’s pod ${what}, once that is gone`, async () => {
        const { takeover, made, name } = await importing(state, phase, { [POD_PHASE]: 'Failed' });
        takeover.world.api.change('cluster', pods, { namespace: 'team', name }, (pod) => ({
          ...pod,
          metadata: { ...pod.metadata, finalizers: ['example.com/slow'] },
        }));
        await takeover.rounds(5);
        expect(made).to.deep.equal([]);
        takeover.world.api.change('cluster', pods, { namespace: 'team', name }, (pod) => ({
          ...pod,
          metadata: { ...pod.metadata, finalizers: [] },
        }));
        await takeover.rounds();
        expect(made).to.deep.equal([name]);
        expect(takeover.phase).to.equal('Succeeded');
        expect(takeover.left).to.deep.equal([]);
      });
    }

    it('of which nothing has begun begins', async () => {
      const takeover = await Takeover.of('Import', http, 'ImportScheduled');
      await takeover.rounds();
      expect([takeover.phase, takeover.left]).to.deep.equal(['Succeeded', []]);
    });

    it('that succeeded long ago is left as it is, whatever its annotations say', async () => {
      const takeover = await Takeover.of('Import', http, 'Succeeded', {
        annotations: { ...importAnnotations, [POD_PHASE]: 'Succeeded' },
        finalizers: ['cdi.kubevirt.io/dataVolumeFinalizer'],
      });
      takeover.handOver(takeover.prime({ ...importAnnotations, [POD_PHASE]: 'Succeeded' }));
      await takeover.rounds(3);
      const writes: string[] = [];
      takeover.world.api.onWrite(({ user, resource }) => user === 'controllers' && writes.push(resource.kind));
      await takeover.rounds();
      expect(takeover.phase).to.equal('Succeeded');
      expect(writes).to.deep.equal([]);
      expect(takeover.world.api.find(dataVolumes, DISK)?.metadata.finalizers).to.deep.equal([]);
    });
  });

  it('an upload begins anew, behind a Service of our own', async () => {
    const takeover = await Takeover.of('Upload', { source: { upload: {} } }, 'UploadReady');
    const prime = takeover.prime({ 'cdi.kubevirt.io/storage.upload.target': '', [POD_PHASE]: 'Running' });
    const name = `cdi-upload-${prime.metadata?.name}`;
    const pod = takeover.pod(prime, 'cdi-upload-server', name);
    takeover.tell(pod, 'Running', running);
    takeover.world.api.create('cluster', services, uploadServiceOfCdi(prime));
    await takeover.rounds(2);
    expect(takeover.world.api.list(services).map(isLeftByCdi)).to.deep.equal([false]);
    await takeover.rounds();
    expect([takeover.phase, takeover.left]).to.deep.equal(['Succeeded', []]);
  });

  describe('a clone', () => {
    const cloning = async (phase = 'HostClone') => {
      const takeover = await Takeover.of('Clone', { source: { pvc: own } }, 'CloneInProgress', {
        annotations: { 'cdi.kubevirt.io/clonePhase': phase, 'cdi.kubevirt.io/cloneType': 'copy' },
        finalizers: ['cdi.kubevirt.io/dataVolumeFinalizer'],
      });
      const { api } = takeover.world;
      const temporary = api.create('cluster', persistentVolumeClaims, {
        ...temporaryClaimOfCdi(takeover.target, own),
      });
      takeover.world.kubernetes();
      return { takeover, temporary };
    };
    const copying = async (phase?: string) => {
      const all = await cloning(phase);
      const { takeover, temporary } = all;
      const { name, uid } = temporary.metadata ?? {};
      takeover.tell(takeover.pod(temporary, 'cdi-upload-server', `cdi-upload-${name}`), 'Running', running);
      const source = takeover.world.api.find(persistentVolumeClaims, own);
      if (source) takeover.tell(takeover.pod(source, 'cdi-clone-source', `${uid}-source-pod`), 'Running', running);
      takeover.world.api.create('cluster', services, uploadServiceOfCdi(temporary));
      return all;
    };

    for (const phase of ['HostClone', 'Error']) {
      it(`in phase ${phase} begins anew, and nothing of the first attempt is left`, async () => {
        const { takeover, temporary } = await copying(phase);
        await takeover.rounds(2 * 20);
        expect([takeover.phase, takeover.left]).to.deep.equal(['Succeeded', []]);
        expect(takeover.volumeName).not.to.equal(`pv-${temporary.metadata?.uid}`);
        expect(takeover.world.data.of(takeover.volumeName)).to.deep.equal(['team/own']);
        expect(takeover.world.api.find(persistentVolumeClaims, DISK)?.metadata?.finalizers).to.deep.equal([]);
      });
    }

    it('that CDI has handed over has succeeded, and keeps its volume', async () => {
      const { takeover, temporary } = await cloning('Rebind');
      takeover.handOver(temporary);
      const { volumeName } = takeover;
      await takeover.rounds();
      expect([takeover.phase, takeover.left]).to.deep.equal(['Succeeded', []]);
      expect(takeover.volumeName).to.equal(volumeName);
      expect(takeover.world.api.find(persistentVolumes, { namespace: '', name: volumeName ?? '' })).not.to.be.undefined;
    });

    it('that is deleted takes all with it that CDI has made', async () => {
      const { takeover } = await copying();
      const { api } = takeover.world;
      api.delete('tenant', dataVolumes, DISK);
      await takeover.rounds();
      expect(api.find(dataVolumes, DISK)).to.be.undefined;
      expect(api.find(persistentVolumeClaims, DISK)).to.be.undefined;
      expect(takeover.left).to.deep.equal([]);
    });
  });

  it('a copy into the claim itself begins anew', async () => {
    const world = await World.of({ cloneStrategy: 'copy', hasAnnotationPolicy: true });
    const dataVolume = world.api.create('cluster', dataVolumes, dataVolumeOfCdi(DISK, { source: { pvc: own } }));
    const { apiVersion, kind, metadata } = dataVolume;
    const claim = world.api.create('cluster', persistentVolumeClaims, {
      metadata: {
        ...DISK,
        annotations: { 'k8s.io/CloneRequest': 'team/own', [POD_PHASE]: 'Running' },
        finalizers: ['cdi.kubevirt.io/cloneSource'],
        ownerReferences: [{ apiVersion, kind, name: metadata.name ?? '', uid: metadata.uid ?? '', controller: true }],
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: STORAGE_CLASS,
        resources: { requests: { storage: '1Gi' } },
      },
    });
    world.kubernetes();
    const source = world.api.find(persistentVolumeClaims, own) ?? claim;
    const made = [
      podOfCdi(claim, { name: 'cdi-upload-disk', role: 'cdi-upload-server' }),
      podOfCdi(source, { name: `${claim.metadata?.uid}-source-pod`, role: 'cdi-clone-source' }),
    ];
    for (const pod of made) world.api.create('cluster', pods, pod);
    world.api.create('cluster', services, uploadServiceOfCdi(claim));
    for (let round = 0; round < 20; round++) await world.round();
    expect(world.api.find(dataVolumes, DISK)?.status?.phase).to.equal('Succeeded');
    expect(world.data.of(world.data.volumeOf(DISK)?.metadata?.name)).to.deep.equal(['team/own']);
    expect(world.api.list(pods)).to.deep.equal([]);
    expect(world.api.find(persistentVolumeClaims, DISK)?.metadata?.finalizers).to.deep.equal([]);
  });
});
