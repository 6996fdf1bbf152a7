import { events, persistentVolumeClaims, persistentVolumes, pods } from '../../../kube/builtin-resources.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import type { Right } from '../../runtime/rights.ts';

/** What holding a claim, handing a volume over to it, letting it go and removing what is temporary needs. */
export const populationRights: readonly Right[] = [
  { resource: persistentVolumeClaims, verbs: ['patch', 'delete'] },
  { resource: persistentVolumes, verbs: ['get', 'patch'] },
  { resource: pods, verbs: ['delete'] },
  // A temporary one that could not be restored is freed of the CSI provisioner's finalizer.
  { resource: volumeSnapshots, verbs: ['patch', 'delete'] },
  // What was taken for a temporary one goes with it, also where its class would have it retained.
  { resource: volumeSnapshotContents, verbs: ['get', 'patch'] },
  { resource: events, verbs: ['list'] },
];
