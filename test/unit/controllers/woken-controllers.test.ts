import { expect } from 'chai';
import { type CloneType, cloneTypes } from '../../../src/api/clone.ts';
import { dataVolumes, type DataVolumeSpec } from '../../../src/api/data-volume.ts';
import { CDI_API_VERSION } from '../../../src/api/group.ts';
import { STORAGE_CLASS, TEAM } from './world/installation.ts';
import { WokenWorld } from './world/woken-world.ts';
import { DISK } from './world/writings.ts';

/** Seconds of a life, in which one step of Kubernetes is made each. */
const ROUNDS = 40;

const pvc = {
  accessModes: ['ReadWriteOnce' as const],
  storageClassName: STORAGE_CLASS,
  resources: { requests: { storage: '1Gi' } },
};

const sources: Record<string, Partial<DataVolumeSpec>> = {
  'an empty disk': { source: { blank: {} } },
  'an import': { source: { http: { url: 'http://server.example/disk.img' } } },
  'a claim of the same namespace': { source: { pvc: { namespace: TEAM, name: 'own' } } },
  'a snapshot of the same namespace': { source: { snapshot: { namespace: TEAM, name: 'own' } } },
  'a claim of another namespace': { source: { pvc: { namespace: 'golden', name: 'fedora' } } },
  'a snapshot of another namespace': { source: { snapshot: { namespace: 'golden', name: 'fedora' } } },
  'a DataSource': { sourceRef: { kind: 'DataSource', namespace: 'golden', name: 'latest' } },
};

/** Those of other sources do not depend on how the storage clones. */
const strategiesOf = ({ source }: Partial<DataVolumeSpec>): readonly CloneType[] =>
  source && ('blank' in source || 'http' in source) ? ['copy'] : cloneTypes;

const key = { namespace: TEAM, name: DISK };

/** A life of a DataVolume, until something is left undone. */
async function undoneOf(
  world: WokenWorld,
  spec: Partial<DataVolumeSpec>,
  { late, deletedIn }: { readonly late?: string; readonly deletedIn?: number },
): Promise<string[]> {
  world.api.create('author', dataVolumes, {
    apiVersion: CDI_API_VERSION,
    kind: 'DataVolume',
    metadata: key,
    spec: { pvc, ...spec },
  });
  for (let round = 0; round < ROUNDS; round++) {
    if (round === deletedIn) world.api.delete('author', dataVolumes, key);
    await world.round(1_000, (resource) => late === undefined || !resource.startsWith(late));
    const undone = await world.lookAtAll();
    if (undone.length > 0) return undone.map((write) => `round ${round}: ${write}`);
  }
  return [];
}

describe('controllers that are woken by their watches alone', () => {
  let world: WokenWorld;

  afterEach(() => world.end());

  for (const [title, spec] of Object.entries(sources)) {
    for (const strategy of strategiesOf(spec)) {
      for (const late of [undefined, 'persistentvolumes', 'persistentvolumeclaims', 'datavolumes', 'pods']) {
        it(`leave nothing undone of ${title}, ${strategy}, with ${late ?? 'nothing'} late`, async () => {
          world = await WokenWorld.of(strategy);
          expect(await undoneOf(world, spec, late === undefined ? {} : { late })).to.deep.equal([]);
          expect(world.api.find(dataVolumes, key)?.status?.phase).to.equal('Succeeded');
        });
      }

      for (const deletedIn of [1, 2, 3, 5]) {
        it(`leave nothing of ${title} undone, ${strategy}, that is deleted in round ${deletedIn}`, async () => {
          world = await WokenWorld.of(strategy);
          expect(await undoneOf(world, spec, { deletedIn })).to.deep.equal([]);
          expect(world.api.find(dataVolumes, key)).to.equal(undefined);
        });
      }
    }
  }
});
