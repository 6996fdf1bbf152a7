import type { CloneStrategy } from './strategy.ts';

/** The strategy in which pods copy the data over the network, which requires nothing of the storage but volumes. */
export const copy: CloneStrategy = {
  cloneType: 'copy',
  byStorage: false,
  obstacles: [],
  description: {
    PersistentVolumeClaim: 'host-assisted copy',
    VolumeSnapshot: 'restore the snapshot, then host-assisted copy',
  },
  phases: {
    PersistentVolumeClaim: ['HostClone', 'Rebind'],
    VolumeSnapshot: ['SnapshotClone', 'HostClone', 'Rebind'],
  },
  temporaries: ['temporarySnapshot', 'temporarySourceClaim', 'workingClaim'],
  restoresInto: 'temporarySourceClaim',
};
