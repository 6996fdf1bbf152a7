/** Returns the source component of the events of a DataVolume's controller. */
export const dataVolumeEventSource = (kind: 'import' | 'clone' | 'upload' | 'external-population') =>
  `datavolume-${kind}-controller` as const;
