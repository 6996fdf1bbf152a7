import { CDI_GROUP } from '../../api/group.ts';
import { finalizer } from '../../api/finalizers.ts';
import { addFinalizer, isBeingDeleted, removeFinalizer } from '../../kube/finalizers.ts';
import { persistentVolumeClaims, type PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { keyOf } from '../../kube/key.ts';
import { volumeSnapshots } from '../../kube/snapshot-resources.ts';
import { BY_TARGET } from '../caches.ts';
import type { ControllerContext } from '../context.ts';
import { promisedVolume, releasePromise } from './rebind-volume.ts';

/** Name of the source object that a claim is to be populated from, where it is of the given kind. */
export function populatedFrom(claim: PersistentVolumeClaim, kind: string): string | undefined {
  const reference = claim.spec?.dataSourceRef;
  return reference?.kind === kind && reference.apiGroup === CDI_GROUP ? reference.name : undefined;
}

/** Keeps the target claim until everything that is made for it, in other namespaces too, has been seen to. */
export async function holdTarget(context: ControllerContext, target: PersistentVolumeClaim): Promise<void> {
  await addFinalizer(context.client, persistentVolumeClaims, target, finalizer.clonePopulator);
}

/**
 * Removes what was made for a target claim: its working claims and snapshots; a volume that is being handed over gets
 * its reclaim policy back. Lets the target go when nothing is left.
 */
export async function letTargetGo(context: ControllerContext, target: PersistentVolumeClaim): Promise<void> {
  if (!target.metadata?.finalizers?.includes(finalizer.clonePopulator)) return;
  const { client, caches } = context;
  const uid = target.metadata.uid ?? '';
  const volume = promisedVolume(context, target);
  if (volume) await releasePromise(context, volume);
  const claims = caches.claims.byIndex(BY_TARGET, uid).filter((claim) => !isBeingDeleted(claim));
  const snapshots = caches.snapshots.byIndex(BY_TARGET, uid).filter((snapshot) => !isBeingDeleted(snapshot));
  await Promise.all([
    ...claims.map((claim) => client.delete(persistentVolumeClaims, keyOf(claim), { uid: claim.metadata?.uid ?? '' })),
    ...snapshots.map((snapshot) =>
      client.delete(volumeSnapshots, keyOf(snapshot), { uid: snapshot.metadata?.uid ?? '' }),
    ),
  ]);
  // Their deletion brings us here again. Once it is under way it needs nobody.
  if (claims.length === 0 && snapshots.length === 0) {
    await removeFinalizer(client, persistentVolumeClaims, target, finalizer.clonePopulator);
  }
}
