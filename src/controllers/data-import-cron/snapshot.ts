import { dataImportCronAnnotation, userAnnotation } from '../../api/annotations.ts';
import type { DataImportCron } from '../../api/data-import-cron.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { keyOf } from '../../kube/key.ts';
import type { VolumeSnapshot } from '../../kube/snapshot-resources.ts';
import { claimLabelsOf } from '../transfers/image-labels.ts';
import { labelsOf, ownersOf } from './objects.ts';

/** Returns the snapshot that an image is kept as, in place of its claim. */
export function snapshotOf(
  cron: DataImportCron,
  claim: PersistentVolumeClaim,
  snapshotClass: string,
  now: number,
): VolumeSnapshot {
  const storageClass = claim.spec?.storageClassName;
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: {
      ...keyOf(claim),
      labels: { ...claimLabelsOf(claim.metadata?.labels ?? {}), ...labelsOf(cron) },
      annotations: {
        [dataImportCronAnnotation.lastUseTime]: new Date(now).toISOString(),
        [userAnnotation.sourceVolumeMode]: claim.spec?.volumeMode ?? 'Filesystem',
        ...(storageClass ? { [dataImportCronAnnotation.storageClass]: storageClass } : {}),
      },
      ownerReferences: ownersOf(cron),
    },
    spec: {
      source: { persistentVolumeClaimName: keyOf(claim).name },
      volumeSnapshotClassName: snapshotClass,
    },
  };
}
