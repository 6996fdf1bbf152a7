import { expect } from 'chai';
import { prunePod, pruneQuota, pruneVolume } from '../../../../src/controllers/runtime/prune.ts';
import type { PersistentVolume, Pod } from '../../../../src/kube/builtin-resources.ts';

describe('what is kept of objects that are read by the thousand', () => {
  it('is of a volume whose it is, where it is, and whom it is promised to', () => {
    const volume: PersistentVolume = {
      metadata: {
        name: 'pvc-1',
        uid: 'u',
        resourceVersion: '7',
        finalizers: ['kubernetes.io/pv-protection'],
        annotations: { 'cdi.kubevirt.io/rebind.targetUID': 't', 'pv.kubernetes.io/provisioned-by': 'driver.example' },
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'n', name: 'c', uid: 'cu' },
        csi: { driver: 'driver.example', volumeHandle: 'h', volumeAttributes: { a: 'b' } },
        persistentVolumeReclaimPolicy: 'Delete',
        storageClassName: 'fast',
        volumeMode: 'Block',
        nodeAffinity: {
          required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'host', operator: 'Exists' }] }] },
        },
        mountOptions: ['noatime'],
      },
      status: { phase: 'Bound' },
    };
    expect(JSON.parse(JSON.stringify(pruneVolume(volume)))).to.deep.equal({
      metadata: {
        name: 'pvc-1',
        uid: 'u',
        resourceVersion: '7',
        annotations: { 'cdi.kubevirt.io/rebind.targetUID': 't', 'pv.kubernetes.io/provisioned-by': 'driver.example' },
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        claimRef: { namespace: 'n', name: 'c', uid: 'cu' },
        csi: { driver: 'driver.example', volumeHandle: 'h' },
        nodeAffinity: {
          required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'host', operator: 'Exists' }] }] },
        },
        persistentVolumeReclaimPolicy: 'Delete',
        storageClassName: 'fast',
        volumeMode: 'Block',
      },
    });
  });

  it('is of a pod which claims it mounts, and how it fares', () => {
    const pod: Pod = {
      metadata: { name: 'p', namespace: 'n', annotations: { other: 'x' } },
      spec: {
        containers: [{ name: 'c', image: 'i', env: [{ name: 'A', value: 'b' }], volumeMounts: [] }],
        volumes: [
          { name: 'disk', persistentVolumeClaim: { claimName: 'claim' } },
          { name: 'scratch', emptyDir: {} },
        ],
      },
      status: { phase: 'Running', hostIP: '10.0.0.1' },
    };
    const { spec, status, metadata } = prunePod(pod);
    expect(spec?.volumes?.map(({ name }) => name)).to.deep.equal(['disk']);
    expect(spec?.containers).to.deep.equal([{ name: 'c', volumeMounts: [] }]);
    expect(status).to.include({ phase: 'Running' }).and.not.to.have.property('hostIP');
    expect(metadata?.annotations).not.to.have.property('other');
  });

  it('is of a quota what it allows, and not what is used', () => {
    const spec = { hard: { pods: '1' }, scopes: ['BestEffort'] };
    const metadata = { name: 'q', namespace: 'n', uid: 'u', resourceVersion: '7' };
    const quota = { metadata: { ...metadata, labels: { a: 'b' } }, spec, status: { used: { pods: '1' } } };
    expect(pruneQuota(quota)).to.deep.equal({ metadata, spec });
  });
});
