import type { CloneFallbackReason } from './clone.ts';

/** Reasons of the events on a DataVolume. */
export const dataVolumeEventReasons = [
  'Pending',
  'Bound',
  'ImportScheduled',
  'ImportInProgress',
  'ImportSucceeded',
  'ImportFailed',
  'CloneScheduled',
  'CloneInProgress',
  'SnapshotForSmartCloneInProgress',
  'CloneFromSnapshotSourceInProgress',
  'CSICloneInProgress',
  'PrepClaimInProgress',
  'RebindInProgress',
  'CloneSucceeded',
  'CloneFailed',
  'CloneWithoutSource',
  'CloneSourceInUse',
  'CloneValidationFailed',
  'ExternalPopulationSucceeded',
  'UploadScheduled',
  'UploadReady',
  'UploadSucceeded',
  'UploadFailed',
  'NotFound',
  'ErrResourceExists',
  'ErrClaimLost',
  'ErrClaimNotValid',
  'ErrExceededQuota',
  'ErrUnableToClone',
  'ErrIncompatiblePVC',
  'ErrStartingPod',
  'ErrDataSourceAlreadyManaged',
] as const;
export type DataVolumeEventReason = (typeof dataVolumeEventReasons)[number] | CloneFallbackReason;

/** Source component of the events of a DataVolume's controller. */
export const dataVolumeEventSource = (kind: 'import' | 'clone' | 'upload' | 'external-population') =>
  `datavolume-${kind}-controller` as const;
