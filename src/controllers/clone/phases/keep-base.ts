import { ownerReference } from '../../../kube/apply.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { WaitingError } from '../../../kube/errors.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyOf, keyToString } from '../../../kube/key.ts';
import { snapshotTrouble, type VolumeSnapshot, volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import { temporarySnapshotName } from '../../../protocol/object-names.ts';
import { isBound } from '../../claims/bound.ts';
import { releaseContentOf } from '../../claims/disposal/release-content.ts';
import { promisedVolume } from '../../claims/rebind/rebind-volume.ts';
import { chooseSnapshotClass } from '../../claims/snapshot-class.ts';
import { warnAuthor } from '../../claims/warn-author.ts';
import { createIfAbsent } from '../../objects/create-if-absent.ts';
import {
  baseClassAnnotation,
  baseOfAnnotation,
  baseSourceAnnotation,
  baseSourceUidAnnotation,
} from '../../objects/internal-annotations.ts';
import { marksFor, requireMadeFor } from '../../objects/made-for.ts';
import { classUidOf, isIncremental } from '../bases/base.ts';
import type { CloneWork, PhaseOutcome } from './phase.ts';

/** How long a snapshot of the copy may take before it is handed over without one. */
const PATIENCE_MILLISECONDS = 60_000;
const RELEASING_MILLISECONDS = 500;

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
  try {
    return await keep(work, claim, source);
  } catch (error) {
    if (!(error instanceof WaitingError)) throw error;
    const message = `Nothing is kept of the copy, so the next one sends everything: ${error.message}`;
    warnAuthor(work.context, work.target, { reason: 'CloneBaseNotKept', message });
    return 'complete';
  }
}

/** @throws WaitingError where one of the snapshots cannot be had */
async function keep(
  work: CloneWork,
  claim: PersistentVolumeClaim,
  source: PersistentVolumeClaim,
): Promise<PhaseOutcome> {
  const { context, target, temporarySnapshot } = work;
  const { caches, client, now } = context;
  const key = { namespace: keyOf(claim).namespace, name: temporarySnapshotName(claim.metadata?.uid ?? '') };
  const taken = requireMadeFor(caches.snapshots.get(key), claim.metadata?.uid);
  if (!taken || isBeingDeleted(taken)) throw new WaitingError('SnapshotFailed', 'there is no snapshot of the source');
  const copy =
    requireMadeFor(caches.snapshots.get(temporarySnapshot), target.metadata?.uid) ??
    (await createIfAbsent(client, volumeSnapshots, copySnapshotOf(work)));
  const left = PATIENCE_MILLISECONDS - (now() - Date.parse(String(copy.metadata?.creationTimestamp ?? '')));
  for (const each of [taken, copy]) {
    if (each.status?.readyToUse) continue;
    const trouble = snapshotTrouble(each) ?? (left > 0 ? undefined : 'it takes too long');
    const name = keyToString(keyOf(each));
    if (trouble) throw new WaitingError('SnapshotFailed', `snapshot ${name} could not be taken: ${trouble}`);
    return { message: `snapshot ${name} is being taken for the next copy`, after: left };
  }
  for (const each of [taken, copy]) {
    // They may be removed without the controllers, together with their source.
    if ((await releaseContentOf(context, each)) === 'waiting') {
      return { message: 'the snapshots for the next copy are being kept', after: RELEASING_MILLISECONDS };
    }
  }
  await give(work, source, copy, {
    [baseClassAnnotation]: classUidOf(caches, target) ?? '',
    [baseSourceAnnotation]: key.name,
    [baseSourceUidAnnotation]: taken.metadata?.uid ?? '',
  });
  // Second, as it is removed where no copy belongs to it.
  await give(work, source, taken, {});
  return 'complete';
}

function copySnapshotOf({ context, target, workingClaim, temporarySnapshot }: CloneWork): VolumeSnapshot {
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
    metadata: { ...temporarySnapshot, ...marksFor(target) },
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
