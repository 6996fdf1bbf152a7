import { volumeCloneSources } from '../../../api/volume-clone-source.ts';
import { nodes, persistentVolumeClaims, pods } from '../../../kube/builtin-resources.ts';
import { enqueueFrom } from '../../../kube/event-source.ts';
import { keyIf, keyOf } from '../../../kube/key.ts';
import { volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import { isBeingBound } from '../../claims/being-bound.ts';
import { claimsNaming } from '../../claims/population/populated-claims.ts';
import { populatedFrom } from '../../claims/population/populated-from.ts';
import { populationRights } from '../../claims/population/rights.ts';
import { promisedTo } from '../../claims/rebind/promises.ts';
import { workedFor } from '../../objects/work-index.ts';
import { mayOwn } from '../../runtime/rights.ts';
import { type ControllerSetup, MANY_WORKERS } from '../../runtime/setup.ts';
import { dataVolumeKeyOf } from '../grants/authority.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import { sourceRights } from '../source/rights.ts';
import { ClonePopulatorReconciler } from './reconciler.ts';
import { clonesWaitingFor, clonesWaitingForPod, clonesWaitingForVolume } from './waiting-clones.ts';

/** Fills claims that name a VolumeCloneSource. */
export const clonePopulator: ControllerSetup<CloneContext> = {
  rights: [
    ...sourceRights,
    ...populationRights,
    { resource: volumeCloneSources, verbs: ['get'] },
    { resource: persistentVolumeClaims, verbs: ['get', 'create', 'patch', 'delete'] },
    mayOwn(persistentVolumeClaims),
    { resource: volumeSnapshots, verbs: ['get', 'create', 'patch'] },
    { resource: pods, verbs: ['get', 'create', 'delete'] },
    // The node determines where a pod can run that mounts a claim for a moment.
    { resource: nodes, verbs: ['get'] },
  ],
  setup(host, context) {
    const { caches } = context;
    host.addController(new ClonePopulatorReconciler(context), {
      workers: MANY_WORKERS,
      watches: [
        enqueueFrom(
          caches.claims,
          (claim) => [
            ...keyIf(claim, populatedFrom(claim, 'VolumeCloneSource') !== undefined),
            ...workedFor(claim),
            ...clonesWaitingFor(caches, 'PersistentVolumeClaim', keyOf(claim)),
          ],
          { ignores: isBeingBound },
        ),
        enqueueFrom(caches.dataVolumes, (source) => clonesWaitingFor(caches, 'PersistentVolumeClaim', keyOf(source))),
        enqueueFrom(caches.snapshots, (snapshot) => [
          ...workedFor(snapshot),
          ...clonesWaitingFor(caches, 'VolumeSnapshot', keyOf(snapshot)),
        ]),
        enqueueFrom(caches.pods, (pod) => [...workedFor(pod), ...clonesWaitingForPod(caches, pod)]),
        enqueueFrom(caches.volumes, (volume) => [...promisedTo(volume), ...clonesWaitingForVolume(caches, volume)]),
        enqueueFrom(caches.cloneSources, (source) => claimsNaming(source, caches)),
        enqueueFrom(caches.cloneGrants, (grant) => [dataVolumeKeyOf(grant)]),
      ],
    });
  },
};
