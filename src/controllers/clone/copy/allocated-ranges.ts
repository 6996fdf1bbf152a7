import { type PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { ApiError, toError, WaitingError } from '../../../kube/errors.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyOf, type ObjectKey } from '../../../kube/key.ts';
import { snapshotTrouble, type VolumeSnapshot, volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import { temporarySnapshotName } from '../../../protocol/object-names.ts';
import { type Answer, LONGEST_MILLISECONDS } from '../../changed-blocks/changed-blocks.ts';
import { deleteTemporary } from '../../claims/population/delete-temporary.ts';
import { SETTLING_MILLISECONDS } from '../../claims/population/settled.ts';
import { isSettled } from '../../claims/population/snapshot-removal.ts';
import { chooseSnapshotClass } from '../../claims/snapshot-class.ts';
import { createIfAbsent } from '../../objects/create-if-absent.ts';
import { workForAnnotation } from '../../objects/internal-annotations.ts';
import { isMadeFor, marksFor, requireMadeFor } from '../../objects/made-for.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import { readsAllocated } from '../planner/reads-allocated.ts';
import type { CloneSource } from '../source/source.ts';
import type { Inquiries, Inquiry } from './inquiries.ts';

/** How long a snapshot may take before everything is read instead. */
const PATIENCE_MILLISECONDS = 30_000;
/** How long the whole may take. */
const LONGEST_INQUIRY_MILLISECONDS = PATIENCE_MILLISECONDS + LONGEST_MILLISECONDS;
/** The age up to which a snapshot that is still being taken is not deleted, because it would leave something behind. */
const SETTLED_MILLISECONDS = PATIENCE_MILLISECONDS + SETTLING_MILLISECONDS;

type RangesContext = Pick<CloneContext, 'caches' | 'client' | 'now' | 'changedBlocks'>;

/**
 * Finds out what is allocated of a Block source, where its driver tells: by the snapshot that the source was restored
 * from, or by a temporary one. Whatever does not succeed of that, the copy is made.
 *
 * @param claim that is copied into
 * @param source that no pod may be writing to
 * @returns the document for the source pod, or why everything is read; undefined where it is not asked for
 */
export async function allocatedRanges(
  context: RangesContext,
  inquiries: Inquiries,
  claim: PersistentVolumeClaim,
  source: CloneSource,
): Promise<Answer | 'pending' | undefined> {
  const { changedBlocks, now } = context;
  const { driver, capacity } = source;
  if (driver === undefined || capacity === 0 || !(await readsAllocated(changedBlocks, claim, source))) return undefined;
  const inquiry = inquiries.look(claim, source);
  if (inquiry.isOver) return { why: 'what was told of it may be outdated' };
  if (now() - inquiry.began > LONGEST_INQUIRY_MILLISECONDS) return { why: 'it takes too long to find out' };
  try {
    const snapshot = snapshotBehind(context, claim, source) ?? (await takenSnapshot(context, inquiry, claim, source));
    if (snapshot === undefined || snapshot === 'pending') return snapshot;
    return changedBlocks.ask(askerOf(claim), { driver, snapshot: keyOf(snapshot), capacity });
  } catch (error) {
    if (error instanceof ApiError || error instanceof WaitingError) return { why: toError(error).message };
    throw error;
  }
}

/**
 * Removes the snapshot that was taken for an answer, and the answer.
 *
 * @returns `waiting` where the snapshot cannot be deleted yet
 */
export async function forgetAllocatedRanges(
  context: RangesContext,
  claim: PersistentVolumeClaim,
  namespace: string,
): Promise<'deleted' | 'waiting'> {
  const { caches, changedBlocks, client, now } = context;
  changedBlocks.forget(askerOf(claim));
  const snapshot = caches.snapshots.get(ownKey(claim, namespace));
  if (!snapshot || !isMadeFor(snapshot, claim.metadata?.uid) || isBeingDeleted(snapshot)) return 'deleted';
  const maySettle = now() - createdAt(snapshot) < SETTLED_MILLISECONDS;
  if (maySettle && !(await isSettled(client, snapshot))) return 'waiting';
  return deleteTemporary(context, [], [snapshot]);
}

const askerOf = ({ metadata }: PersistentVolumeClaim): string => `${metadata?.uid} allocated`;

const ownKey = ({ metadata }: PersistentVolumeClaim, namespace: string): ObjectKey => ({
  namespace,
  name: temporarySnapshotName(metadata?.uid ?? ''),
});

/** Returns a snapshot that there is already, and that has what the source has. */
function snapshotBehind(
  { caches }: Pick<RangesContext, 'caches'>,
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
  inquiry: Inquiry,
  claim: PersistentVolumeClaim,
  { key, driver }: CloneSource,
): Promise<VolumeSnapshot | 'pending' | undefined> {
  const own = ownKey(claim, key.namespace);
  const taken = requireMadeFor(caches.snapshots.get(own), claim.metadata?.uid);
  if (taken && (taken.metadata?.uid !== inquiry.snapshot || isBeingDeleted(taken))) {
    throw new WaitingError('SnapshotFailed', 'a snapshot that was taken before is outdated, and not gone yet');
  }
  if (taken?.status?.readyToUse) return taken;
  const trouble = taken && snapshotTrouble(taken);
  if (trouble || now() - inquiry.began > PATIENCE_MILLISECONDS) {
    throw new WaitingError('SnapshotFailed', `a snapshot could not be taken: ${trouble ?? 'it takes too long'}`);
  }
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

/** In milliseconds since the epoch. */
function createdAt({ metadata }: VolumeSnapshot | PersistentVolumeClaim): number {
  return Date.parse(String(metadata?.creationTimestamp ?? ''));
}
