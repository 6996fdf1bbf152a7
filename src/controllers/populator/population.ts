import { CDI_GROUP } from '../../api/group.ts';
import { finalizer } from '../../api/finalizers.ts';
import { addFinalizer, isBeingDeleted, removeFinalizer } from '../../kube/finalizers.ts';
import { persistentVolumeClaims, type PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { keyOf } from '../../kube/key.ts';
import { volumeSnapshots } from '../../kube/snapshot-resources.ts';
import { BY_TARGET } from '../caches.ts';
import type { ControllerContext } from '../context.ts';
import { isBound } from './bound.ts';
import { promisedVolume, releasePromise } from './rebind-volume.ts';

/** How long the restore of a snapshot may take that nobody wants any more. */
const RESTORE_MILLISECONDS = 30_000;

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
 *
 * @returns milliseconds until it must be called again, should no watch come first
 */
export async function letTargetGo(
  context: ControllerContext,
  target: PersistentVolumeClaim,
): Promise<number | undefined> {
  if (!target.metadata?.finalizers?.includes(finalizer.clonePopulator)) return undefined;
  const { client, caches } = context;
  const uid = target.metadata.uid ?? '';
  const volume = promisedVolume(context, target);
  if (volume) await releasePromise(context, volume);
  const claims = caches.claims.byIndex(BY_TARGET, uid).filter((claim) => !isBeingDeleted(claim));
  const snapshots = caches.snapshots.byIndex(BY_TARGET, uid).filter((snapshot) => !isBeingDeleted(snapshot));
  // The CSI provisioner forgets its finalizer on the snapshot of a claim that goes before it is restored.
  const since = new Date(target.metadata.deletionTimestamp ?? 0).getTime();
  const patience = since + RESTORE_MILLISECONDS - context.now();
  if (patience > 0 && claims.some((claim) => isRestored(claim) && !isBound(claim))) return patience;
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
  return undefined;
}

function isRestored(claim: PersistentVolumeClaim): boolean {
  return claim.spec?.dataSource?.kind === 'VolumeSnapshot';
}
