import { cannotGrow, otherDriver, otherVolumeMode, volumeOutOfReach } from './obstacles.ts';
import type { CloneStrategy } from './strategy.ts';

const phases = ['CSIClone', 'PrepClaim', 'Rebind'] as const;

/**
 * The strategy in which the driver clones the volume (CSI specification, "CreateVolume", volume_content_source.volume).
 */
export const csiClone: CloneStrategy = {
  cloneType: 'csi-clone',
  byStorage: true,
  ofSnapshots: 'snapshot',
  obstacles: [otherDriver, otherVolumeMode, volumeOutOfReach, cannotGrow],
  description: { PersistentVolumeClaim: 'csi-clone', VolumeSnapshot: 'csi-clone' },
  phases: { PersistentVolumeClaim: phases, VolumeSnapshot: phases },
  temporaries: ['workingClaim'],
  restoresInto: 'workingClaim',
};
