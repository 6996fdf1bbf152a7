import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { WaitingError } from '../../../kube/errors.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import type { ObjectKey } from '../../../kube/key.ts';
import { snapshotTrouble, type VolumeSnapshot, volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import { temporarySnapshotName } from '../../../protocol/object-names.ts';
import { removeWhenSettled, SNAPSHOT_PATIENCE_MILLISECONDS } from '../../claims/population/remove-when-settled.ts';
import { chooseSnapshotClass } from '../../claims/snapshot-class.ts';
import { createIfAbsent } from '../../objects/create-if-absent.ts';
import { workForAnnotation } from '../../objects/internal-annotations.ts';
import { isMadeFor, isTemporary, marksFor, requireMadeFor } from '../../objects/made-for.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import type { CloneSource } from '../source/source.ts';
import type { Inquiry } from './inquiries.ts';

export type SnapshotContext = Pick<ControllerContext, 'caches' | 'client' | 'now'>;

/**
 * Takes a snapshot of a source that nobody writes while it is copied, by which its driver tells of its blocks. One that
 * was taken before the inquiry began is replaced.
 *
 * @returns undefined where no snapshot can be taken of such a source
 * @throws WaitingError where it could not be taken
 */
export async function sourceSnapshot(
  context: SnapshotContext,
  inquiry: Inquiry,
  claim: PersistentVolumeClaim,
  { key, driver }: CloneSource,
): Promise<VolumeSnapshot | 'pending' | undefined> {
  const { caches, client, now } = context;
  const own = ownKey(claim, key.namespace);
  const taken = requireMadeFor(caches.snapshots.get(own), claim.metadata?.uid);
  const isOutdated = taken && (taken.metadata?.uid !== inquiry.snapshot || isBeingDeleted(taken));
  if (taken?.status?.readyToUse && !isOutdated) return taken;
  const trouble = taken && snapshotTrouble(taken);
  if ((trouble && !isOutdated) || now() - inquiry.began > SNAPSHOT_PATIENCE_MILLISECONDS) {
    throw new WaitingError('SnapshotFailed', `a snapshot could not be taken: ${trouble ?? 'it takes too long'}`);
  }
  if (isOutdated) await removeSourceSnapshot(context, claim, key.namespace);
  if (taken) return 'pending';
  // A restored source is no snapshot's to be taken of: what it was restored from would have told.
  if (caches.claims.get(key)?.metadata?.annotations?.[workForAnnotation] !== undefined) return undefined;
  const storageClass = caches.claims.get(key)?.spec?.storageClassName ?? '';
  const preferred = caches.storageProfiles.get({ namespace: '', name: storageClass })?.spec.snapshotClass;
  const snapshotClass = chooseSnapshotClass(caches.snapshotClasses.list(), driver, preferred);
  if (snapshotClass === undefined) return undefined;
  // The cache may not know it yet.
  const created = await createIfAbsent(client, volumeSnapshots, {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { ...own, ...marksFor(claim) },
    spec: { source: { persistentVolumeClaimName: key.name }, volumeSnapshotClassName: snapshotClass },
  });
  inquiry.snapshot = created.metadata?.uid;
  return 'pending';
}

/** Whether there is a snapshot of a source as it was in the time of the inquiry. */
export function hasTaken(
  { caches }: Pick<SnapshotContext, 'caches'>,
  inquiry: Inquiry,
  claim: PersistentVolumeClaim,
  { key }: CloneSource,
): boolean {
  const taken = caches.snapshots.get(ownKey(claim, key.namespace));
  return taken?.metadata?.uid === inquiry.snapshot && taken?.status?.readyToUse === true && !isBeingDeleted(taken);
}

/**
 * Removes the snapshot that was taken of a source, unless it is one of a base by now.
 *
 * @returns `waiting` where it cannot be deleted yet
 */
export async function removeSourceSnapshot(
  context: SnapshotContext,
  claim: PersistentVolumeClaim,
  namespace: string,
): Promise<'deleted' | 'waiting'> {
  const snapshot = context.caches.snapshots.get(ownKey(claim, namespace));
  const isOurs = snapshot && isMadeFor(snapshot, claim.metadata?.uid) && isTemporary(snapshot);
  if (!isOurs || isBeingDeleted(snapshot)) return 'deleted';
  return removeWhenSettled(context, snapshot);
}

const ownKey = ({ metadata }: PersistentVolumeClaim, namespace: string): ObjectKey => ({
  namespace,
  name: temporarySnapshotName(metadata?.uid ?? ''),
});
