import { cannotGrow, noSnapshotClass, otherDriver, otherVolumeMode, snapshotOutOfReach } from './obstacles.ts';
import type { CloneStrategy } from './strategy.ts';

/** The strategy in which the driver restores a snapshot, which is the source itself or a temporary one of it. */
export const snapshot: CloneStrategy = {
  cloneType: 'snapshot',
  byStorage: true,
  obstacles: [otherDriver, otherVolumeMode, snapshotOutOfReach, cannotGrow, noSnapshotClass],
  description: { PersistentVolumeClaim: 'snapshot, then restore it', VolumeSnapshot: 'restore the snapshot' },
  phases: {
    PersistentVolumeClaim: ['Snapshot', 'SnapshotClone', 'PrepClaim', 'Rebind'],
    VolumeSnapshot: ['SnapshotClone', 'PrepClaim', 'Rebind'],
  },
  temporaries: ['temporarySnapshot', 'workingClaim'],
  restoresInto: 'workingClaim',
};
