import { persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import type { Right } from '../../runtime/rights.ts';

/** What reading the source of a clone needs, besides the caches: as the API server knows it, and not as it was a moment ago. */
export const sourceRights: readonly Right[] = [
  { resource: persistentVolumeClaims, verbs: ['get'] },
  { resource: volumeSnapshots, verbs: ['get'] },
  { resource: volumeSnapshotContents, verbs: ['get'] },
];
