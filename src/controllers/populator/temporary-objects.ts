import {
  primeClaimName,
  temporaryClaimName,
  temporarySnapshotName,
  temporarySourceClaimName,
} from '../../api/object-names.ts';
import { persistentVolumeClaims } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/errors.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import { volumeSnapshots } from '../../kube/snapshot-resources.ts';

/** Whether the API server, in any namespace, still has a temporary object of a target claim that is not being deleted. */
export async function hasTemporaryObjects(client: KubeClient, targetUid: string): Promise<boolean> {
  const claimNames = [primeClaimName, temporaryClaimName, temporarySourceClaimName].map((name) => name(targetUid));
  const found = await Promise.all([
    ...claimNames.map((name) => named(client, persistentVolumeClaims, name)),
    named(client, volumeSnapshots, temporarySnapshotName(targetUid)),
  ]);
  return found.flat().some((object) => !isBeingDeleted(object));
}

async function named(client: KubeClient, resource: Resource<KubeObject>, name: string): Promise<KubeObject[]> {
  try {
    return await client.list(resource, { fieldSelector: `metadata.name=${name}` });
  } catch (error) {
    // The VolumeSnapshot CRDs need not be installed.
    if (isNotFound(error)) return [];
    throw error;
  }
}
