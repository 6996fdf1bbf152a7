import { mountingPodName, temporaryClaimName } from '../../../protocol/object-names.ts';
import { CDI_GROUP } from '../../../api/group.ts';
import { finalizer } from '../../../api/finalizers.ts';
import { hasFinalizer, isBeingDeleted, removeFinalizer } from '../../../kube/finalizers.ts';
import { persistentVolumeClaims, pods, type PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { Outcome } from '../../../kube/controller.ts';
import { ApiError, isConflict } from '../../../kube/errors.ts';
import { keyOf, type Key } from '../../../kube/key.ts';
import type { VolumeSnapshot, volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { isMadeFor } from '../../objects/made-for.ts';
import { byTarget } from '../../objects/work-index.ts';
import { isBound } from '../bound.ts';
import { releaseContentOf } from '../disposal/release-content.ts';
import { releaseVolumeOf } from '../disposal/release-volume.ts';
import { endRestoreHold, hasFailedToProvision, isHeldByRestore } from './failed-restore.ts';
import { promisedVolume, releasePromise } from '../rebind/rebind-volume.ts';
import { deleteSnapshot, isSettled } from './snapshot-removal.ts';

/** How long a snapshot that nobody wants any more may take to be taken, or to be restored. */
export const SETTLING_MILLISECONDS = 30_000;

/** What is restored at once is not asked about. */
const FAILING_MILLISECONDS = 1_500;

const LOOK_AGAIN_MILLISECONDS = 200;

const FIELD_MANAGER = 'diskpress-population';

/** Name of the source object that a claim is to be populated from, where it is of the given kind. */
export function populatedFrom(claim: PersistentVolumeClaim, kind: string): string | undefined {
  const reference = claim.spec?.dataSourceRef;
  return reference?.kind === kind && reference.apiGroup === CDI_GROUP ? reference.name : undefined;
}

/**
 * Keeps the target claim until everything that is made for it, in other namespaces too, has been seen to.
 *
 * @param annotations what is to be written in the same moment
 */
export async function holdTarget(
  { client }: Pick<ControllerContext, 'client'>,
  target: PersistentVolumeClaim,
  annotations?: Readonly<Record<string, string>>,
): Promise<void> {
  if (hasFinalizer(target, finalizer.clonePopulator) && !annotations) return;
  const { name = '', namespace = '', uid = '' } = target.metadata ?? {};
  // An apply, because others write to a new claim at the same time, and a patch of all finalizers would conflict with them.
  await client.apply(
    persistentVolumeClaims,
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name,
        namespace,
        uid,
        finalizers: [finalizer.clonePopulator],
        ...(annotations ? { annotations: { ...annotations } } : {}),
      },
    },
    { fieldManager: FIELD_MANAGER },
  );
}

/**
 * Removes what was made for a target claim: its working claims and snapshots; a volume that is being handed over gets
 * its reclaim policy back. Lets the target go when nothing is left.
 *
 * @param annotations what is to be told on the target, in the same write that lets it go
 */
export async function letTargetGo(
  context: ControllerContext,
  target: PersistentVolumeClaim,
  annotations: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  if (!hasFinalizer(target, finalizer.clonePopulator)) return undefined;
  const { client, caches } = context;
  const uid = target.metadata?.uid ?? '';
  const volume = promisedVolume(context, target);
  if (volume) await releasePromise(context, volume);
  const temporary = caches.claims.byIndex(byTarget, uid);
  const claims = temporary.filter((claim) => !isBeingDeleted(claim));
  const snapshots = caches.snapshots.byIndex(byTarget, uid).filter((snapshot) => !isBeingDeleted(snapshot));
  if (isPatient(context, target) && !(await areSettled(context, claims, snapshots))) {
    return { requeueAfter: LOOK_AGAIN_MILLISECONDS };
  }
  // Also one that has ended keeps its claim from going, and would itself only go after it.
  if (isBeingDeleted(target)) await Promise.all(temporary.map((claim) => deleteMountingPod(context, claim, uid)));
  const deletion = await deleteTemporary(context, claims, snapshots);
  if (deletion === 'waiting') return { requeueAfter: LOOK_AGAIN_MILLISECONDS };
  // Their deletion brings us here again. Once it is under way it needs nobody.
  if (claims.length > 0 || snapshots.length > 0) return undefined;
  if (isBeingDeleted(target)) {
    const held = caches.snapshots.byIndex(byTarget, uid).filter(isHeldByRestore);
    const ended = await Promise.all(held.map((snapshot) => endFailedRestore(context, target, snapshot)));
    if (ended.includes('waiting')) return { requeueAfter: LOOK_AGAIN_MILLISECONDS };
  }
  await removeFinalizer(client, persistentVolumeClaims, target, finalizer.clonePopulator, annotations);
  return undefined;
}

/** What the clean-up of a target claim knows how to delete. */
export type CleanedUpResource = typeof persistentVolumeClaims | typeof volumeSnapshots;

/**
 * Deletes these working claims and snapshots, and none that has come in their place; what is in the storage for them goes with them, also
 * where their classes would have it retained. A refusal to see to that keeps none of them.
 *
 * @returns `waiting` where some of them cannot be deleted yet
 */
export async function deleteTemporary(
  context: Pick<ControllerContext, 'client' | 'caches' | 'now'>,
  claims: readonly PersistentVolumeClaim[],
  snapshots: readonly VolumeSnapshot[],
): Promise<'deleted' | 'waiting'> {
  const { client } = context;
  const outcomes = await Promise.all([
    ...claims.map(async (claim) => {
      await unlessRefused(releaseVolumeOf(context, claim));
      await client.delete(persistentVolumeClaims, keyOf(claim), { uid: claim.metadata?.uid });
    }),
    ...snapshots.map(async (snapshot) => {
      if ((await unlessRefused(releaseContentOf(context, snapshot))) === 'waiting') return 'waiting';
      await deleteSnapshot(client, snapshot);
      return undefined;
    }),
  ]);
  return outcomes.includes('waiting') ? 'waiting' : 'deleted';
}

/** What comes of a request; undefined where the API server says no to it for another reason than that it is outdated. */
async function unlessRefused<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof ApiError && !isConflict(error)) return undefined;
    throw error;
  }
}

/** Lets a snapshot that is being deleted go, once the claim that it could not be restored into is gone. */
async function endFailedRestore(
  { client, caches }: ControllerContext,
  target: PersistentVolumeClaim,
  snapshot: VolumeSnapshot,
): Promise<'waiting' | 'done'> {
  const claim = { ...keyOf(snapshot), name: temporaryClaimName(target.metadata?.uid ?? '') };
  if (!(await hasFailedToProvision(client, claim))) return 'done';
  if (caches.claims.get(claim)) return 'waiting';
  await endRestoreHold(client, snapshot);
  return 'done';
}

/** Deletes the pod that mounts a working claim for a moment, if there is one. */
export async function deleteMountingPod(
  { client, caches }: Pick<ControllerContext, 'client' | 'caches'>,
  claim: PersistentVolumeClaim,
  targetUid: string,
): Promise<void> {
  const key: Key = { namespace: keyOf(claim).namespace, name: mountingPodName(claim.metadata?.uid ?? '') };
  const pod = caches.pods.get(key);
  if (pod && isMadeFor(pod, targetUid)) await client.delete(pods, key, { uid: pod.metadata?.uid });
}

function isPatient({ now }: ControllerContext, { metadata }: PersistentVolumeClaim): boolean {
  return now() - Date.parse(metadata?.deletionTimestamp ?? '') < SETTLING_MILLISECONDS;
}

/** Whether working claims and snapshots can be deleted now without leaving something of the storage's behind. */
export async function areSettled(
  { client, now }: Pick<ControllerContext, 'client' | 'now'>,
  claims: readonly PersistentVolumeClaim[],
  snapshots: readonly VolumeSnapshot[],
): Promise<boolean> {
  for (const claim of claims.filter(isBeingRestored)) {
    const age = now() - Date.parse(claim.metadata?.creationTimestamp ?? '');
    if (age < FAILING_MILLISECONDS || !(await hasFailedToProvision(client, keyOf(claim)))) return false;
  }
  const settled = await Promise.all(snapshots.map((snapshot) => isSettled(client, snapshot)));
  return settled.every(Boolean);
}

/** The CSI provisioner forgets its finalizer on the snapshot of a claim that goes before it is restored. */
function isBeingRestored(claim: PersistentVolumeClaim): boolean {
  return claim.spec?.dataSource?.kind === 'VolumeSnapshot' && !isBound(claim);
}
