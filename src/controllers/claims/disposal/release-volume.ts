import {
  persistentVolumes,
  type PersistentVolume,
  type PersistentVolumeClaim,
} from '../../../kube/builtin-resources.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { keyOf } from '../../../kube/key.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { reclaimPolicyAnnotation } from '../../objects/internal-annotations.ts';
import { staysBehind } from '../../objects/evidence.ts';

/** Sees to it that the volume of a temporary claim goes with it, whatever its class says, if it was provisioned for that. */
export async function releaseVolumeOf(
  { client, caches }: Pick<ControllerContext, 'client' | 'caches'>,
  claim: PersistentVolumeClaim,
): Promise<void> {
  const { volumeName: name } = claim.spec ?? {};
  if (!name) return;
  const key = { namespace: '', name };
  const volume = caches.volumes.get(key) ?? (await client.get(persistentVolumes, key));
  if (volume && staysBehind(volume, claim.metadata?.uid)) await releaseVolume(client, volume);
}

/** Has a volume deleted with its claim, unless it is handed over before: then it gets its reclaim policy back. */
export async function releaseVolume(client: KubeClient, volume: PersistentVolume): Promise<void> {
  await client.mergePatch(persistentVolumes, keyOf(volume), {
    metadata: {
      // A decision on an outdated cache is to fail.
      resourceVersion: volume.metadata?.resourceVersion,
      annotations: { [reclaimPolicyAnnotation]: volume.spec?.persistentVolumeReclaimPolicy },
    },
    spec: { persistentVolumeReclaimPolicy: 'Delete' },
  });
}
