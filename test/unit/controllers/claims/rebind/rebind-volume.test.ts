import { expect } from 'chai';
import { rebindVolume } from '../../../../../src/controllers/claims/rebind/rebind-volume.ts';
import {
  promisedByAnnotation,
  promisedToAnnotation,
  workForAnnotation,
} from '../../../../../src/controllers/objects/internal-annotations.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../../../../src/kube/builtin-resources.ts';
import type { JsonPatchOperation } from '../../../../../src/kube/json-patch.ts';
import { keyOf, type ObjectKey } from '../../../../../src/kube/key.ts';
import type { KubeObject, Resource } from '../../../../../src/kube/resource.ts';
import type { Store } from '../../../../../src/kube/store.ts';
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
    uid: 'of-volume',
    annotations: { [promisedToAnnotation]: 'of-disk', [promisedByAnnotation]: 'of-prime' },
  },
  spec: { claimRef: { uid: 'of-prime' }, persistentVolumeReclaimPolicy: 'Retain' },
};
const POINTED = [
  'PersistentVolume',
  'volume',
  [
    '/metadata/uid: "of-volume"',
    `/metadata/annotations/${promisedToAnnotation.replace('/', '~1')}: "of-disk"`,
    '/spec/persistentVolumeReclaimPolicy: "Retain"',
    '/spec/claimRef/uid: "of-prime"',
    '/spec/claimRef: {"apiVersion":"v1","kind":"PersistentVolumeClaim","namespace":"team","name":"disk","uid":"of-disk"}',
  ],
];
const deletedAt = (deletionTimestamp: string): PersistentVolumeClaim => ({
  ...working,
  metadata: { ...working.metadata, deletionTimestamp },
});
const finished: Pod = {
  metadata: { namespace: 'team', name: 'importer' },
  spec: { containers: [], volumes: [{ name: 'disk', persistentVolumeClaim: { claimName: 'prime' } }] },
};

describe('handing over a volume', () => {
  async function requestsWith(pods: Pod[], claim = working, handedOver = volume): Promise<unknown[]> {
    const caches = cachesOf({ claims: [target, claim], volumes: [handedOver], pods });
    const requests: unknown[] = [];
    const client = {
      delete: async (_: unknown, { name }: ObjectKey, options: object) => void requests.push(['delete', name, options]),
      mergePatch: async ({ kind }: Resource<KubeObject>, { name }: ObjectKey, { metadata }: KubeObject) =>
        void requests.push([kind, name, metadata]),
      jsonPatch: async ({ kind }: Resource<KubeObject>, { name }: ObjectKey, operations: JsonPatchOperation[]) =>
        void requests.push([kind, name, operations.map(({ path, value }) => `${path}: ${JSON.stringify(value)}`)]),
    };
    const now = () => Date.parse('2026-01-01T00:01:00Z');
    await rebindVolume({ client, caches, now } as never, target, { namespace: 'team', name: 'prime' });
    return requests;
  }

  it('has the working claim gone before the volume is another’s, whoever still mounts it', async () => {
    expect(await requestsWith([finished])).to.deep.equal([
      ['delete', 'prime', { uid: 'of-prime' }],
      ['PersistentVolumeClaim', 'prime', { uid: 'of-prime', finalizers: ['example.org/kept'] }],
      POINTED,
    ]);
  });

  it('leaves a working claim that nobody mounts to Kubernetes, which removes it at once', async () => {
    expect(await requestsWith([])).to.deep.equal([['delete', 'prime', { uid: 'of-prime' }]]);
    expect(await requestsWith([], deletedAt('2026-01-01T00:00:59Z'))).to.deep.equal([]);
    expect(await requestsWith([], deletedAt('2026-01-01T00:00:50Z'))).to.deep.equal([
      ['PersistentVolumeClaim', 'prime', { uid: 'of-prime', finalizers: ['example.org/kept'] }],
      POINTED,
    ]);
  });

  describe('steps that need nothing but what the one before wrote', () => {
    const unpromised: PersistentVolume = {
      metadata: { name: 'volume', uid: 'of-volume' },
      spec: { claimRef: { uid: 'of-prime' }, persistentVolumeReclaimPolicy: 'Delete' },
    };
    const bound: PersistentVolumeClaim = { ...target, spec: { volumeName: 'volume' }, status: { phase: 'Bound' } };
    const released: PersistentVolume = {
      metadata: { name: 'volume', uid: 'of-volume' },
      spec: { claimRef: { uid: 'of-disk' }, persistentVolumeReclaimPolicy: 'Delete' },
    };

    /**
     * @param written what the cache has once the volume is written, if it has that at once
     * @param meanwhile what has become of the claim by then
     */
    async function steps(
      claim: PersistentVolumeClaim,
      before: PersistentVolume,
      written?: PersistentVolume,
      meanwhile = claim,
    ) {
      const caches = cachesOf({ claims: [claim, working], volumes: [before] });
      const requests: string[] = [];
      const client = {
        delete: async () => void requests.push('delete'),
        mergePatch: async () => {
          requests.push('patch');
          if (written) (caches.volumes as unknown as Store<PersistentVolume>).set(written);
          (caches.claims as unknown as Store<PersistentVolumeClaim>).set(meanwhile);
        },
      };
      const outcome = await rebindVolume({ client, caches, now: Date.now } as never, claim, keyOf(working));
      return { requests, isDone: outcome === 'done' };
    }

    it('are taken at once', async () => {
      expect(await steps(target, unpromised, volume)).to.deep.equal({ requests: ['patch', 'delete'], isDone: false });
      const promised = { ...volume, spec: { ...volume.spec, claimRef: { uid: 'of-disk' } } };
      expect(await steps(bound, promised, released)).to.deep.equal({ requests: ['patch'], isDone: true });
    });

    it('are decided by what the claim is by then', async () => {
      const { metadata, ...rest } = target;
      const changes: PersistentVolumeClaim[] = [
        { ...rest, metadata: { ...metadata, uid: 'of-another' } },
        { ...rest, metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
      ];
      for (const meanwhile of changes) {
        expect((await steps(target, unpromised, volume, meanwhile)).requests).to.deep.equal(['patch']);
      }
    });

    it('wait for the watch where the cache does not have that, and nothing is written twice', async () => {
      expect(await steps(target, unpromised)).to.deep.equal({ requests: ['patch'], isDone: false });
      const promised = { ...volume, spec: { ...volume.spec, claimRef: { uid: 'of-disk' } } };
      expect(await steps(bound, promised)).to.deep.equal({ requests: ['patch'], isDone: false });
    });
  });

  it('does not wait for a clock that is behind', async () => {
    expect(await requestsWith([], deletedAt('2026-01-01T00:11:00Z'))).to.have.length(2);
  });

  it('takes a volume that is nobody’s only as long as it is', async () => {
    const free: PersistentVolume = {
      metadata: { ...volume.metadata, resourceVersion: '7' },
      spec: { persistentVolumeReclaimPolicy: 'Retain' },
    };
    const [pointed] = await requestsWith([], { metadata: { namespace: 'team', name: 'other' } }, free);
    expect((pointed as unknown[])[2]).to.include('/metadata/resourceVersion: "7"');
  });
});
