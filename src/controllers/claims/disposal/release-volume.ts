import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumes,
} from '../../../kube/builtin-resources.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { keyOf } from '../../../kube/key.ts';
import { staysBehind } from '../../objects/evidence.ts';
import { reclaimPolicyAnnotation } from '../../objects/internal-annotations.ts';
import type { ControllerContext } from '../../runtime/context.ts';

/**
 * Ensures that a volume that was provisioned for a temporary claim is deleted together with it, whatever the policy of
 * its class.
 */
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

/**
 * Sets a volume to be deleted with its claim, and records the reclaim policy, which is restored where the volume is
 * handed over after all.
 */
export async function releaseVolume(client: KubeClient, volume: PersistentVolume): Promise<void> {
  await client.mergePatch(persistentVolumes, keyOf(volume), {
    metadata: {
      // The request has to fail where the decision was made on an outdated cache.
      resourceVersion: volume.metadata?.resourceVersion,
      annotations: { [reclaimPolicyAnnotation]: volume.spec?.persistentVolumeReclaimPolicy },
    },
    spec: { persistentVolumeReclaimPolicy: 'Delete' },
  });
}
