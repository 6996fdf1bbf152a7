import { events, persistentVolumeClaims, persistentVolumes, pods } from '../../../kube/builtin-resources.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import type { Right } from '../../runtime/rights.ts';

/**
 * The rights that are needed to protect a target claim, hand a volume over to it, release it, and remove temporary
 * objects.
 */
export const populationRights: readonly Right[] = [
  { resource: persistentVolumeClaims, verbs: ['patch', 'delete'] },
  { resource: persistentVolumes, verbs: ['get', 'patch'] },
  { resource: pods, verbs: ['delete'] },
  // The CSI provisioner's finalizer is removed from a temporary snapshot that could not be restored.
  { resource: volumeSnapshots, verbs: ['patch', 'delete'] },
  // The content of a temporary snapshot is deleted with it, even where its class would retain it.
  { resource: volumeSnapshotContents, verbs: ['get', 'patch'] },
  { resource: events, verbs: ['list'] },
];
