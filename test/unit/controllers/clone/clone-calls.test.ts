import { expect } from 'chai';
import type { CloneType } from '../../../../src/api/clone.ts';
import { dataVolumes, type DataVolumeSpec } from '../../../../src/api/data-volume.ts';
import { resourceName } from '../../../../src/kube/resource.ts';
import { act } from '../world/actions.ts';
import { TEAM } from '../world/installation.ts';
import { World } from '../world/world.ts';
import { DISK } from '../world/writings.ts';

const ROUNDS = 40;

/** Names what the controllers write, without events, for one clone that takes less than a second, in its order. */
async function writesOf(cloneStrategy: CloneType, source: DataVolumeSpec['source']): Promise<string[]> {
  const writes: string[] = [];
  const world = await World.of({
    cloneStrategy,
    hasAnnotationPolicy: true,
    roundMilliseconds: 20,
    authorize: ({ verb, resource, subresource }) => {
      const isWrite = verb !== 'get' && subresource !== 'finalizers';
      if (isWrite) writes.push([verb, resourceName(resource).split('.')[0], subresource].filter(Boolean).join(' '));
    },
  });
  writes.length = 0;
  await act(world, { make: 'data-volume', name: DISK, annotations: {}, owners: [], spec: { source } });
  await act(world, { rounds: ROUNDS });
  expect(world.api.find(dataVolumes, { namespace: TEAM, name: DISK })?.status?.phase).to.equal('Succeeded');
  return writes;
}

describe('what is written for one clone', () => {
  const own = { namespace: TEAM, name: 'own' };

  it('is each object with all that it gets, and of the status only what can be seen', async () => {
    expect(await writesOf('csi-clone', { pvc: own })).to.deep.equal([
      'create volumeclonesources',
      'create persistentvolumeclaims',
      // The plan, and the finalizer.
      'patch persistentvolumeclaims',
      'create persistentvolumeclaims',
      // The class of this world retains volumes: this one is to go with its working claim, until it is promised, which
      // conflicts with that at first.
      'patch persistentvolumes',
      'patch persistentvolumes',
      'patch persistentvolumes',
      'delete persistentvolumeclaims',
      'patch persistentvolumes',
      'patch datavolumes',
      'patch datavolumes status',
      // The reclaim policy, and the end.
      'patch persistentvolumes',
      'patch persistentvolumeclaims',
    ]);
  });

  const most: Record<CloneType, { pvc: number; snapshot: number }> = {
    'csi-clone': { pvc: 13, snapshot: 13 },
    snapshot: { pvc: 17, snapshot: 13 },
    // A copy lasts, so that each of its states is told at once.
    copy: { pvc: 29, snapshot: 33 },
  };
  for (const [strategy, counts] of Object.entries(most) as [CloneType, (typeof most)[CloneType]][]) {
    for (const kind of ['pvc', 'snapshot'] as const) {
      it(`is at most ${counts[kind]} requests: ${strategy} of a ${kind}`, async () => {
        expect((await writesOf(strategy, { [kind]: own })).length).to.be.at.most(counts[kind]);
      });
    }
  }
});
