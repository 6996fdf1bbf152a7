import { ownerReference } from '../../../kube/apply.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { isForbidden, isNotFound, isPermanent, toError, WaitingError } from '../../../kube/errors.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyOf, keyToString } from '../../../kube/key.ts';
import {
  snapshotTrouble,
  type VolumeSnapshot,
  type VolumeSnapshotContent,
  volumeSnapshotContents,
  volumeSnapshots,
} from '../../../kube/snapshot-resources.ts';
import { temporarySnapshotName } from '../../../protocol/object-names.ts';
import { annotateClaim } from '../../claims/annotate-claim.ts';
import { isBound } from '../../claims/bound.ts';
import { releaseContentOf } from '../../claims/disposal/release-content.ts';
import { removeWhenSettled } from '../../claims/population/remove-when-settled.ts';
import { promisedVolume } from '../../claims/rebind/rebind-volume.ts';
import { chooseSnapshotClass } from '../../claims/snapshot-class.ts';
import { warnAuthor } from '../../claims/warn-author.ts';
import { createIfAbsent } from '../../objects/create-if-absent.ts';
import { contentNameOf, isTakenFor } from '../../objects/evidence.ts';
import {
  baseClassAnnotation,
  baseOfAnnotation,
  baseSizeAnnotation,
  baseSourceAnnotation,
  baseSourceUidAnnotation,
  workTakenAnnotation,
} from '../../objects/internal-annotations.ts';
import { isMadeFor, isTemporary, marksFor, requireMadeFor } from '../../objects/made-for.ts';
import { BASE_FIELD_MANAGER, classUidOf, isIncremental } from '../bases/base.ts';
import type { CloneWork, PhaseOutcome } from './phase.ts';

/** How long a snapshot of the copy may take before it is handed over without one. */
const PATIENCE_MILLISECONDS = 60_000;
const LOOK_MILLISECONDS = 500;
/** In place of the UID of a snapshot of the source, where no base is to be kept any more. */
const GIVEN_UP = 'none';

type ContentStatus = NonNullable<VolumeSnapshotContent['status']>;

/**
 * Keeps a base of a copy that is complete, but not handed over yet: the snapshot of the source that was taken before,
 * and one of the copy. Both go with the clone until the latter is ready, and belong to the source then. Where a base
 * cannot be kept, the clone goes on without.
 */
export async function keepBase(work: CloneWork, claim: PersistentVolumeClaim): Promise<PhaseOutcome> {
  const source = work.context.caches.claims.get(work.source.key);
  const uid = claim.metadata?.annotations?.[baseOfAnnotation];
  if (uid === undefined || source?.metadata?.uid !== uid || !isIncremental(source)) return 'complete';
  // Whoever has the volume may write to it.
  if (isBound(work.target) || promisedVolume(work.context, work.target)) return 'complete';
  if (claim.metadata?.annotations?.[workTakenAnnotation] === GIVEN_UP) {
    const isLeft = (await dropCopySnapshot(work)) === 'waiting';
    return isLeft
      ? { message: 'what was begun for the next copy is being removed', after: LOOK_MILLISECONDS }
      : 'complete';
  }
  try {
    return await keep(work, claim, source);
  } catch (error) {
    if (!(error instanceof WaitingError || isForbidden(error) || isNotFound(error) || isPermanent(error))) throw error;
    const message = `Nothing is kept of the copy, so the next one sends everything: ${toError(error).message}`;
    warnAuthor(work.context, work.target, { reason: 'CloneBaseNotKept', message });
    await annotateClaim(work.context.client, claim, BASE_FIELD_MANAGER, { [workTakenAnnotation]: GIVEN_UP });
    return { message, after: LOOK_MILLISECONDS };
  }
}

/** @throws WaitingError where one of the snapshots cannot be had, or does not belong to the other */
async function keep(
  work: CloneWork,
  claim: PersistentVolumeClaim,
  source: PersistentVolumeClaim,
): Promise<PhaseOutcome> {
  const { context, target, temporarySnapshot } = work;
  const { caches, client, now } = context;
  const key = { namespace: keyOf(claim).namespace, name: temporarySnapshotName(claim.metadata?.uid ?? '') };
  const taken = requireMadeFor(caches.snapshots.get(key), claim.metadata?.uid);
  const { [workTakenAnnotation]: takenUid, [baseClassAnnotation]: classUid = '' } = claim.metadata?.annotations ?? {};
  if (!taken || !takenUid || taken.metadata?.uid !== takenUid || isBeingDeleted(taken)) {
    throw new WaitingError('SnapshotFailed', 'there is no snapshot of the source as it was when the copy began');
  }
  if (classUidOf(caches, target) !== classUid) {
    throw new WaitingError('SnapshotFailed', 'its storage class has been made anew meanwhile');
  }
  const copy =
    requireMadeFor(caches.snapshots.get(temporarySnapshot), target.metadata?.uid) ??
    (await createIfAbsent(client, volumeSnapshots, copySnapshotOf(work, takenUid)));
  if (copy.metadata?.annotations?.[baseSourceUidAnnotation] !== takenUid || isBeingDeleted(copy)) {
    throw new WaitingError('SnapshotFailed', `snapshot ${keyToString(temporarySnapshot)} is not of this copy`);
  }
  const left = PATIENCE_MILLISECONDS - (now() - Date.parse(String(copy.metadata?.creationTimestamp ?? '')));
  let size = 0;
  for (const each of [taken, copy]) {
    const content = await readyContentOf(client, each);
    if (content) {
      size = content.restoreSize ?? 0;
      continue;
    }
    const trouble = snapshotTrouble(each) ?? (left > 0 ? undefined : 'it takes too long');
    const name = keyToString(keyOf(each));
    if (trouble) throw new WaitingError('SnapshotFailed', `snapshot ${name} could not be taken: ${trouble}`);
    return { message: `snapshot ${name} is being taken for the next copy`, after: left };
  }
  for (const each of [taken, copy]) {
    // They may be removed without the controllers, together with their source.
    if ((await releaseContentOf(context, each)) === 'waiting') {
      return { message: 'the snapshots for the next copy are being kept', after: LOOK_MILLISECONDS };
    }
  }
  await give(work, source, copy, {
    [baseClassAnnotation]: classUid,
    [baseSourceAnnotation]: key.name,
    [baseSizeAnnotation]: String(size),
  });
  // Second, as it is removed where no copy belongs to it.
  await give(work, source, taken, {});
  return 'complete';
}

/**
 * Returns the status of the content of a snapshot that has been taken. That of the snapshot itself could be anybody's
 * in its namespace.
 */
async function readyContentOf(client: KubeClient, snapshot: VolumeSnapshot): Promise<ContentStatus | undefined> {
  if (!snapshot.status?.readyToUse) return undefined;
  const content = await client.get(volumeSnapshotContents, { namespace: '', name: contentNameOf(snapshot) });
  const isReady = content && isTakenFor(content, snapshot) && content.status?.readyToUse === true;
  return isReady && content.status?.snapshotHandle !== undefined ? content.status : undefined;
}

/**
 * Removes the snapshot of the copy where it is not kept. It must not be taken of a volume that somebody writes to.
 *
 * @returns `waiting` while it is there, but not for longer than a while: it is no base's, and nothing restores it
 */
async function dropCopySnapshot({ context, target, temporarySnapshot }: CloneWork): Promise<'done' | 'waiting'> {
  const copy = context.caches.snapshots.get(temporarySnapshot);
  if (!copy || !isMadeFor(copy, target.metadata?.uid) || !isTemporary(copy)) return 'done';
  const { deletionTimestamp } = copy.metadata ?? {};
  if (deletionTimestamp === undefined) await removeWhenSettled(context, copy);
  else if (context.now() - Date.parse(String(deletionTimestamp)) > PATIENCE_MILLISECONDS) return 'done';
  return 'waiting';
}

function copySnapshotOf(
  { context, target, workingClaim, temporarySnapshot }: CloneWork,
  takenUid: string,
): VolumeSnapshot {
  const { labels, annotations } = marksFor(target);
  const { caches } = context;
  const name = target.spec?.storageClassName ?? '';
  const driver = caches.storageClasses.get({ namespace: '', name })?.provisioner;
  const preferred = caches.storageProfiles.get({ namespace: '', name })?.spec.snapshotClass;
  const snapshotClass = chooseSnapshotClass(caches.snapshotClasses.list(), driver, preferred);
  if (snapshotClass === undefined) {
    throw new WaitingError('SnapshotFailed', `there is no VolumeSnapshotClass for storage class "${name}"`);
  }
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: {
      ...temporarySnapshot,
      labels,
      annotations: { ...annotations, [baseSourceUidAnnotation]: takenUid },
    },
    spec: {
      source: { persistentVolumeClaimName: workingClaim.name },
      volumeSnapshotClassName: snapshotClass,
    },
  };
}

/** Makes a temporary snapshot of the clone one of the base of its source. */
async function give(
  { context }: CloneWork,
  source: PersistentVolumeClaim,
  snapshot: VolumeSnapshot,
  marks: Readonly<Record<string, string>>,
): Promise<void> {
  if (snapshot.metadata?.annotations?.[baseOfAnnotation] !== undefined) return;
  await context.client.mergePatch(volumeSnapshots, keyOf(snapshot), {
    metadata: {
      uid: snapshot.metadata?.uid,
      annotations: { ...marks, [baseOfAnnotation]: source.metadata?.uid ?? '' },
      ownerReferences: [ownerReference({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...source })],
    },
  });
}
