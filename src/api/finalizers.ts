/** Keep an object until what was made for it elsewhere, beyond the reach of owner references, has been removed. */
export const finalizer = {
  /** On a DataVolume with objects in another namespace. */
  dataVolume: 'cdi.kubevirt.io/dataVolumeFinalizer',
  /** On a claim that is being populated by cloning. */
  clonePopulator: 'cdi.kubevirt.io/clonePopulator',
  /** On a claim that is copied into directly from another namespace. */
  cloneSource: 'cdi.kubevirt.io/cloneSource',
} as const;
