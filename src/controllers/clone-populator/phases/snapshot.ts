import { EXCLUDE_FROM_BACKUP_LABEL, objectLabels } from '../../../api/labels.ts';
import { keyOf, keyToString } from '../../../kube/key.ts';
import { volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import { workForAnnotation, workForClaimAnnotation } from '../../internal-annotations.ts';
import type { Phase } from './phase.ts';
import { createIfAbsent } from '../../create-if-absent.ts';

/** Snapshot: a temporary VolumeSnapshot of the source claim. */
export const snapshot: Phase = async ({ context, target, source, temporarySnapshot, snapshotClass }) => {
  const { client, caches } = context;
  const current = caches.snapshots.get(temporarySnapshot);
  if (current?.status?.readyToUse) return 'complete';
  if (current) {
    const trouble = current.status?.error?.message;
    return { message: `snapshot ${keyToString(temporarySnapshot)} is being taken${trouble ? `: ${trouble}` : ''}` };
  }
  await createIfAbsent(client, volumeSnapshots, {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: {
      ...temporarySnapshot,
      labels: { ...objectLabels, [EXCLUDE_FROM_BACKUP_LABEL]: 'true' },
      annotations: {
        [workForAnnotation]: target.metadata?.uid ?? '',
        [workForClaimAnnotation]: keyToString(keyOf(target)),
      },
    },
    spec: {
      source: { persistentVolumeClaimName: source.key.name },
      ...(snapshotClass ? { volumeSnapshotClassName: snapshotClass } : {}),
    },
  });
  return { message: `snapshot ${keyToString(temporarySnapshot)} is being taken` };
};
