import { persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import type { Right } from '../../runtime/rights.ts';

/**
 * The rights that are needed to read the source of a clone from the API server, where the state in the caches is not
 * recent enough.
 */
export const sourceRights: readonly Right[] = [
  { resource: persistentVolumeClaims, verbs: ['get'] },
  { resource: volumeSnapshots, verbs: ['get'] },
  { resource: volumeSnapshotContents, verbs: ['get'] },
];
