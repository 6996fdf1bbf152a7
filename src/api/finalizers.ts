/**
 * Finalizers that keep an object until the objects that were made for it, and that owner references cannot reach, have
 * been removed.
 */
export const finalizer = {
  /** By CDI, on a DataVolume that clones from another namespace. */
  dataVolume: 'cdi.kubevirt.io/dataVolumeFinalizer',
  /** By CDI, on a DataImportCron. */
  dataImportCron: 'cdi.kubevirt.io/dataImportCronFinalizer',
  /** On a claim that is being populated by cloning. */
  clonePopulator: 'cdi.kubevirt.io/clonePopulator',
  /** On a claim that is copied into directly from another namespace. */
  cloneSource: 'cdi.kubevirt.io/cloneSource',
} as const;
