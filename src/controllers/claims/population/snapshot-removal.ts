import type { KubeClient } from '../../../kube/client.ts';
import { keyOf } from '../../../kube/key.ts';
import { type VolumeSnapshot, volumeSnapshotContents, volumeSnapshots } from '../../../kube/snapshot-resources.ts';

/** The annotation of a VolumeSnapshotContent while the CSI snapshotter is taking its snapshot. */
const BEING_CREATED = 'snapshot.storage.kubernetes.io/volumesnapshot-being-created';

/**
 * Returns whether the VolumeSnapshotContent would be deleted together with its snapshot, which it would not be while
 * the snapshot is being taken.
 *
 * The snapshot controller marks the content as being deleted, and the CSI snapshotter marks it as being created; both
 * write all annotations as they last saw them. Where one overwrites the mark of the other, the content is left behind:
 * forever if the snapshot was deleted before it was bound, and else until the CSI snapshotter resynchronizes.
 */
export async function isSettled(client: KubeClient, snapshot: VolumeSnapshot): Promise<boolean> {
  if (isUntouched(snapshot)) return true;
  const { readyToUse, error, boundVolumeSnapshotContentName: name } = snapshot.status ?? {};
  if (!readyToUse && !error) return false;
  const content = name && (await client.get(volumeSnapshotContents, { namespace: '', name }));
  return !content || content.metadata?.annotations?.[BEING_CREATED] === undefined;
}

/**
 * Deletes a snapshot. A snapshot that the snapshot controller has not begun to process is deleted only if that is still
 * so.
 */
export async function deleteSnapshot(client: KubeClient, snapshot: VolumeSnapshot): Promise<void> {
  const { uid, resourceVersion } = snapshot.metadata ?? {};
  await client.delete(volumeSnapshots, keyOf(snapshot), { uid, ...(isUntouched(snapshot) && { resourceVersion }) });
}

/**
 * Returns whether the snapshot controller has not begun to process a snapshot: it adds a finalizer before it creates
 * the content.
 */
function isUntouched(snapshot: VolumeSnapshot): boolean {
  return !snapshot.metadata?.finalizers?.length;
}
