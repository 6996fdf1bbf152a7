import type { DataVolume } from '../../api/data-volume.ts';
import { CDI_GROUP } from '../../api/group.ts';
import { controllerOf } from '../../kube/apply.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { keyOf } from '../../kube/key.ts';
import type { Caches } from '../runtime/caches.ts';

/** Returns the DataVolume that a claim belongs to. A DataVolume has one claim, with its own name. */
export function dataVolumeOf(
  { dataVolumes }: Pick<Caches, 'dataVolumes'>,
  claim: PersistentVolumeClaim,
): DataVolume | undefined {
  const key = keyOf(claim);
  const owner = controllerOf(claim);
  if (owner?.kind !== 'DataVolume' || !owner.apiVersion.startsWith(`${CDI_GROUP}/`)) return undefined;
  const dataVolume = owner.name === key.name ? dataVolumes.get(key) : undefined;
  return dataVolume?.metadata.uid === owner.uid ? dataVolume : undefined;
}
