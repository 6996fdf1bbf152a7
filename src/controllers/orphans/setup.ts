import { type PersistentVolumeClaim, persistentVolumeClaims, secrets } from '../../kube/builtin-resources.ts';
import { enqueueFrom } from '../../kube/event-source.ts';
import { keyIf, keyOf, keyToString, type ObjectKey } from '../../kube/key.ts';
import { populationRights } from '../claims/population/rights.ts';
import { byPromiseKey } from '../claims/rebind/promises.ts';
import { byRetainingClaimKey, byTargetKey } from '../objects/work-index.ts';
import type { Caches } from '../runtime/caches.ts';
import type { ControllerSetup } from '../runtime/setup.ts';
import { orphanedBy } from './orphaned.ts';
import { OrphanReconciler } from './reconciler.ts';

/** Removes what was made for claims that are gone. */
export const orphans: ControllerSetup = {
  rights: [
    { resource: persistentVolumeClaims, verbs: ['get'] },
    { resource: secrets, verbs: ['delete'] },
    ...populationRights,
  ],
  setup(host, context) {
    const { caches } = context;
    host.addController(new OrphanReconciler(context), {
      watches: [
        enqueueFrom(caches.claims, (claim) => [...orphanedBy(claim, caches), ...keyIfMissed(claim, caches)]),
        enqueueFrom(caches.snapshots, (snapshot) => orphanedBy(snapshot, caches)),
        enqueueFrom(caches.pods, (pod) => orphanedBy(pod, caches)),
        enqueueFrom(caches.volumes, (volume) => orphanedBy(volume, caches)),
      ],
    });
  },
};

/** Returns the key of a claim that is gone or replaced, and that something was made for. */
function keyIfMissed(claim: PersistentVolumeClaim, { claims, snapshots, pods, volumes }: Caches): ObjectKey[] {
  if (claims.get(keyOf(claim))?.metadata?.uid === claim.metadata?.uid) return [];
  const key = keyToString(keyOf(claim));
  const isHelped =
    [claims, snapshots, pods].some((cache) => cache.byIndex(byTargetKey, key).length > 0) ||
    pods.byIndex(byRetainingClaimKey, key).length > 0 ||
    volumes.byIndex(byPromiseKey, key).length > 0;
  return keyIf(claim, isHelped);
}
