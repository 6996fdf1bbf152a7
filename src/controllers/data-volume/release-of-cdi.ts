import { type DataVolume, dataVolumes } from '../../api/data-volume.ts';
import { finalizer } from '../../api/finalizers.ts';
import type { KubeClient } from '../../kube/client.ts';
import { hasFinalizer, isBeingDeleted, removeFinalizer } from '../../kube/finalizers.ts';

/**
 * Removes CDI's finalizer from a DataVolume that is being deleted or has succeeded. What CDI has made for it in the
 * namespace of its source is removed with its claim, and Diskpress makes no object there.
 */
export async function releaseOfCdi(client: KubeClient, dataVolume: DataVolume): Promise<void> {
  const isOver = isBeingDeleted(dataVolume) || dataVolume.status?.phase === 'Succeeded';
  if (!isOver || !hasFinalizer(dataVolume, finalizer.dataVolume)) return;
  await removeFinalizer(client, dataVolumes, dataVolume, finalizer.dataVolume);
}
