import type { DataVolumePhase } from './phases.ts';

/** The strategy that a clone was made with, or may be made with. */
export const cloneTypes = ['copy', 'snapshot', 'csi-clone'] as const;
export type CloneType = (typeof cloneTypes)[number];

/** Values of the annotation clonePhase on the target claim, in the order in which a plan may use them. */
export const clonePhases = [
  'Pending',
  'Snapshot',
  'SnapshotClone',
  'CSIClone',
  'HostClone',
  'PrepClaim',
  'Rebind',
  'Succeeded',
  'Error',
] as const;
export type ClonePhase = (typeof clonePhases)[number];

/** The phase of a DataVolume for each phase of its claim's clone during which work is done. */
export const dataVolumePhaseOfClone = {
  Snapshot: 'SnapshotForSmartCloneInProgress',
  SnapshotClone: 'CloneFromSnapshotSourceInProgress',
  CSIClone: 'CSICloneInProgress',
  HostClone: 'CloneInProgress',
  PrepClaim: 'PrepClaimInProgress',
  Rebind: 'RebindInProgress',
} as const satisfies Partial<Record<ClonePhase, DataVolumePhase>>;

/** Reasons why pods copy a clone instead of the storage making it; also reasons of Warning events. */
export const cloneFallbackReasons = [
  'IncompatibleVolumeModes',
  'IncompatibleProvisioners',
  'NoVolumeSnapshotClass',
  'NoVolumeExpansion',
  'NoProvisionerMatch',
  'NoPopulator',
  'IncompatibleTopology',
] as const;
export type CloneFallbackReason = (typeof cloneFallbackReasons)[number];
