import { type PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { ApiError, toError, WaitingError } from '../../../kube/errors.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyOf, type ObjectKey } from '../../../kube/key.ts';
import { snapshotTrouble, type VolumeSnapshot, volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import { encodeBlockRanges } from '../../../protocol/block-ranges.ts';
import { temporarySnapshotName } from '../../../protocol/object-names.ts';
import type { ChangedBlocks } from '../../changed-blocks/changed-blocks.ts';
import { deleteTemporary } from '../../claims/population/delete-temporary.ts';
import { chooseSnapshotClass } from '../../claims/snapshot-class.ts';
import { createIfAbsent } from '../../objects/create-if-absent.ts';
import { workForAnnotation } from '../../objects/internal-annotations.ts';
import { isMadeFor, marksFor, requireMadeFor } from '../../objects/made-for.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { readsAllocated } from '../planner/reads-allocated.ts';
import type { CloneSource } from '../source/source.ts';

/** How long a snapshot may take before everything is read instead. */
const PATIENCE_MILLISECONDS = 30_000;

/** What a copy reads of its source: the document for its source pod, or why everything is read. */
export type AllocatedRanges = { readonly document: string } | { readonly why: string };

type RangesContext = Pick<ControllerContext, 'caches' | 'client' | 'now'>;

/**
 * Finds out what is allocated of a Block source, where its driver tells: by the snapshot that the source was restored
 * from, or by a temporary one. Whatever does not succeed of that, the copy is made.
 *
 * @param claim that is copied into
 * @returns undefined where it is not asked for
 */
export async function allocatedRanges(
  context: RangesContext,
  changedBlocks: ChangedBlocks,
  claim: PersistentVolumeClaim,
  source: CloneSource,
): Promise<AllocatedRanges | 'pending' | undefined> {
  const { driver, capacity } = source;
  if (driver === undefined || capacity === 0 || !(await readsAllocated(changedBlocks, claim, source))) return undefined;
  try {
    const snapshot = snapshotBehind(context, claim, source) ?? (await takenSnapshot(context, claim, source));
    if (snapshot === undefined || snapshot === 'pending') return snapshot;
    const question = { driver, snapshot: keyOf(snapshot), capacity };
    const answer = changedBlocks.ask(`${claim.metadata?.uid} allocated`, question);
    if (answer === 'pending' || 'why' in answer) return answer;
    return { document: encodeBlockRanges({ capacity, ranges: answer.ranges }) };
  } catch (error) {
    if (error instanceof ApiError || error instanceof WaitingError) return { why: toError(error).message };
    throw error;
  }
}

/** Removes the snapshot that was taken for an answer, and the answer. */
export async function forgetAllocatedRanges(
  context: RangesContext,
  changedBlocks: ChangedBlocks,
  claim: PersistentVolumeClaim,
  namespace: string,
): Promise<'deleted' | 'waiting'> {
  changedBlocks.forget(`${claim.metadata?.uid} allocated`);
  const snapshot = context.caches.snapshots.get(ownKey(claim, namespace));
  const isOurs = snapshot && isMadeFor(snapshot, claim.metadata?.uid) && !isBeingDeleted(snapshot);
  return isOurs ? deleteTemporary(context, [], [snapshot]) : 'deleted';
}

const ownKey = ({ metadata }: PersistentVolumeClaim, namespace: string): ObjectKey => ({
  namespace,
  name: temporarySnapshotName(metadata?.uid ?? ''),
});

/** Returns a snapshot that there is already, and that has what the source has. */
function snapshotBehind(
  { caches }: RangesContext,
  claim: PersistentVolumeClaim,
  { key }: CloneSource,
): VolumeSnapshot | undefined {
  const { namespace } = key;
  const target = claim.metadata?.annotations?.[workForAnnotation];
  if (target === undefined) return undefined;
  const restored = caches.claims.get(key);
  const { dataSource } = restored?.spec ?? {};
  if (!restored || !isMadeFor(restored, target) || dataSource?.kind !== 'VolumeSnapshot') return undefined;
  const snapshot = caches.snapshots.get({ namespace, name: dataSource.name });
  // Another snapshot may have the name by now: of one that is older than the claim, that is certain to be it.
  const isIt = snapshot && createdAt(snapshot) < createdAt(restored) && !isBeingDeleted(snapshot);
  return isIt ? snapshot : undefined;
}

/** Takes a snapshot of the source, which nobody writes while it is copied. */
async function takenSnapshot(
  { caches, client, now }: RangesContext,
  claim: PersistentVolumeClaim,
  { key, driver }: CloneSource,
): Promise<VolumeSnapshot | 'pending' | undefined> {
  const own = ownKey(claim, key.namespace);
  const taken = requireMadeFor(caches.snapshots.get(own), claim.metadata?.uid);
  if (taken?.status?.readyToUse && !isBeingDeleted(taken)) return taken;
  if (taken) {
    const trouble = snapshotTrouble(taken);
    if (!trouble && now() - createdAt(taken) < PATIENCE_MILLISECONDS) return 'pending';
    throw new WaitingError('SnapshotFailed', `a snapshot could not be taken: ${trouble ?? 'it takes too long'}`);
  }
  // A restored source is no snapshot's to be taken of: what it was restored from would have told.
  if (caches.claims.get(key)?.metadata?.annotations?.[workForAnnotation] !== undefined) return undefined;
  const storageClass = caches.claims.get(key)?.spec?.storageClassName ?? '';
  const preferred = caches.storageProfiles.get({ namespace: '', name: storageClass })?.spec.snapshotClass;
  const snapshotClass = chooseSnapshotClass(caches.snapshotClasses.list(), driver, preferred);
  if (snapshotClass === undefined) return undefined;
  await createIfAbsent(client, volumeSnapshots, {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { ...own, ...marksFor(claim) },
    spec: { source: { persistentVolumeClaimName: key.name }, volumeSnapshotClassName: snapshotClass },
  });
  return 'pending';
}

/** In milliseconds since the epoch. */
function createdAt({ metadata }: VolumeSnapshot | PersistentVolumeClaim): number {
  return Date.parse(String(metadata?.creationTimestamp ?? ''));
}
