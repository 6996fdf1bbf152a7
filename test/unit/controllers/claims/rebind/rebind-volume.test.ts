import { expect } from 'chai';
import { rebindVolume } from '../../../../../src/controllers/claims/rebind/rebind-volume.ts';
import {
  promisedByAnnotation,
  promisedToAnnotation,
  workForAnnotation,
} from '../../../../../src/controllers/objects/internal-annotations.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../../../../src/kube/key.ts';
import type { KubeObject, Resource } from '../../../../../src/kube/resource.ts';
import { cachesOf } from '../../caches.ts';

const target: PersistentVolumeClaim = { metadata: { namespace: 'team', name: 'disk', uid: 'of-disk' }, spec: {} };
const working: PersistentVolumeClaim = {
  metadata: {
    namespace: 'team',
    name: 'prime',
    uid: 'of-prime',
    annotations: { [workForAnnotation]: 'of-disk' },
    finalizers: ['kubernetes.io/pvc-protection', 'example.org/kept'],
  },
  spec: { volumeName: 'volume' },
};
const volume: PersistentVolume = {
  metadata: {
    name: 'volume',
    resourceVersion: '7',
    annotations: { [promisedToAnnotation]: 'of-disk', [promisedByAnnotation]: 'of-prime' },
  },
  spec: { claimRef: { uid: 'of-prime' }, persistentVolumeReclaimPolicy: 'Retain' },
};

describe('handing over a volume', () => {
  it('has the working claim gone before the volume is another’s, whoever still mounts it', async () => {
    const caches = cachesOf({ claims: [target, working], volumes: [volume] });
    const requests: unknown[] = [];
    const client = {
      delete: async (_: unknown, { name }: ObjectKey, options: object) => void requests.push(['delete', name, options]),
      mergePatch: async ({ kind }: Resource<KubeObject>, { name }: ObjectKey, { metadata }: KubeObject) =>
        void requests.push([kind, name, metadata]),
    };
    await rebindVolume({ client, caches } as never, target, { namespace: 'team', name: 'prime' });
    expect(requests).to.deep.equal([
      ['delete', 'prime', { uid: 'of-prime' }],
      ['PersistentVolumeClaim', 'prime', { uid: 'of-prime', finalizers: ['example.org/kept'] }],
      ['PersistentVolume', 'volume', { resourceVersion: '7' }],
    ]);
  });
});
