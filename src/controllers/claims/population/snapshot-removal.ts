import type { KubeClient } from '../../../kube/client.ts';
import { keyOf } from '../../../kube/key.ts';
import { volumeSnapshotContents, volumeSnapshots, type VolumeSnapshot } from '../../../kube/snapshot-resources.ts';

/** On a VolumeSnapshotContent while the CSI snapshotter has its snapshot taken. */
const BEING_CREATED = 'snapshot.storage.kubernetes.io/volumesnapshot-being-created';

/**
 * Whether a snapshot can be deleted so that its VolumeSnapshotContent goes with it: not while it is being taken.
 *
 * The snapshot controller and the CSI snapshotter tell each other by annotations of the content that it is being
 * deleted and that it is being created, and either writes all of them from what it last saw. A mark that is lost leaves the content behind:
 * for ever where the snapshot went before it was bound, and else until the CSI snapshotter looks at everything again.
 */
export async function isSettled(client: KubeClient, snapshot: VolumeSnapshot): Promise<boolean> {
  if (isUntouched(snapshot)) return true;
  const { readyToUse, error, boundVolumeSnapshotContentName: name } = snapshot.status ?? {};
  if (!readyToUse && !error) return false;
  const content = name && (await client.get(volumeSnapshotContents, { namespace: '', name }));
  return !content || content.metadata?.annotations?.[BEING_CREATED] === undefined;
}

/** Deletes a snapshot; one that nobody has begun to take only as long as that is so. */
export async function deleteSnapshot(client: KubeClient, snapshot: VolumeSnapshot): Promise<void> {
  const { uid, resourceVersion } = snapshot.metadata ?? {};
  await client.delete(volumeSnapshots, keyOf(snapshot), { uid, ...(isUntouched(snapshot) && { resourceVersion }) });
}

/** The snapshot controller puts its finalizer on a snapshot before it makes the content. */
function isUntouched(snapshot: VolumeSnapshot): boolean {
  return !snapshot.metadata?.finalizers?.length;
}
