import type { DataImportCron } from '../../api/data-import-cron.ts';
import { dataVolumes } from '../../api/data-volume.ts';
import { keyOf } from '../../kube/key.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import { volumeSnapshots } from '../../kube/snapshot-resources.ts';
import type { ControllerContext } from '../runtime/context.ts';
import type { Image } from './images.ts';
import { ownersOf } from './objects.ts';

/**
 * Makes a DataImportCron that nothing is to outlive the owner of images that somebody else has begun: earlier
 * controllers, or a DataImportCron of the same name whose images were to stay.
 */
export async function adoptImages(
  { client }: Pick<ControllerContext, 'client'>,
  cron: DataImportCron,
  images: readonly Image[],
): Promise<void> {
  for (const { dataVolume, snapshot } of images) {
    if (dataVolume) await adopt(client, dataVolumes, cron, dataVolume);
    if (snapshot) await adopt(client, volumeSnapshots, cron, snapshot);
  }
}

async function adopt(
  client: ControllerContext['client'],
  resource: Resource<KubeObject>,
  cron: DataImportCron,
  object: KubeObject,
): Promise<void> {
  const { uid, resourceVersion, ownerReferences = [] } = object.metadata ?? {};
  const missing = ownersOf(cron).filter((owner) => !ownerReferences.some((other) => other.uid === owner.uid));
  if (missing.length === 0) return;
  const patch: KubeObject = { metadata: { uid, resourceVersion, ownerReferences: [...ownerReferences, ...missing] } };
  await client.mergePatch(resource, keyOf(object), patch);
}
