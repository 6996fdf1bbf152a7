import { type PersistentVolumeClaim, persistentVolumeClaims, pods } from '../../../kube/builtin-resources.ts';
import { ApiError, isConflict } from '../../../kube/errors.ts';
import { keyOf, type ObjectKey } from '../../../kube/key.ts';
import type { VolumeSnapshot, volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import { mountingPodName } from '../../../protocol/object-names.ts';
import { isMadeFor } from '../../objects/made-for.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { releaseContentOf } from '../disposal/release-content.ts';
import { releaseVolumeOf } from '../disposal/release-volume.ts';
import { deleteSnapshot } from './snapshot-removal.ts';

/** The resources that the clean-up of a target claim deletes. */
export type CleanedUpResource = typeof persistentVolumeClaims | typeof volumeSnapshots;

/**
 * Deletes the given working claims and snapshots, but no objects that have replaced them under the same names. Their
 * volumes and snapshots in the storage are deleted with them, even where their classes would retain those. Where the
 * API server refuses to change a policy for this, the objects are deleted nevertheless.
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

/** Returns the outcome of a request; undefined where the API server refuses it for another reason than a conflict. */
async function unlessRefused<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof ApiError && !isConflict(error)) return undefined;
    throw error;
  }
}

/** Deletes the short-lived pod that mounts a working claim, if it exists. */
export async function deleteMountingPod(
  { client, caches }: Pick<ControllerContext, 'client' | 'caches'>,
  claim: PersistentVolumeClaim,
  targetUid: string,
): Promise<void> {
  const key: ObjectKey = { namespace: keyOf(claim).namespace, name: mountingPodName(claim.metadata?.uid ?? '') };
  const pod = caches.pods.get(key);
  if (pod && isMadeFor(pod, targetUid)) await client.delete(pods, key, { uid: pod.metadata?.uid });
}
