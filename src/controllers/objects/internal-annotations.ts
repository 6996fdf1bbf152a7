/**
 * Annotations by which the controllers tell themselves how far they are. Unlike those of src/api they are no contract:
 * nobody else may rely on them.
 */

/**
 * On every object that the controllers make on the way: uid of the claim that it was made for. It is the mark by which they know what is
 * theirs, and like the others of `work.` nobody else may write it: deploy/admission/controller-marks.yaml.
 */
export const workForAnnotation = 'cdi.kubevirt.io/work.targetUID';
/** On a temporary object: `namespace/name` of the target claim that it was made for. */
export const workForClaimAnnotation = 'cdi.kubevirt.io/work.targetClaim';
/** On a CloneGrant whose clone is complete: when, as RFC 3339. It grants nothing any more. */
export const grantUsedAnnotation = 'cdi.kubevirt.io/clone.completed';
/** On a working claim that is copied into: uid of the claim that the copy is made of. */
export const workSourceUidAnnotation = 'cdi.kubevirt.io/work.sourceUID';
/** On a claim whose import is under way: from where another importer pod can go on, as the last one told. */
export const importCheckpointAnnotation = 'cdi.kubevirt.io/import.checkpoint';
/** On a PersistentVolume that is being handed over: uid of the claim that it is promised to. */
export const promisedToAnnotation = 'cdi.kubevirt.io/rebind.targetUID';
/** On a PersistentVolume that is being handed over: `namespace/name` of the claim that it is promised to. */
export const promisedToClaimAnnotation = 'cdi.kubevirt.io/rebind.targetClaim';
/** On a PersistentVolume that is being handed over: uid of the claim that hands it over. */
export const promisedByAnnotation = 'cdi.kubevirt.io/rebind.workingUID';
/** On a PersistentVolume of a temporary claim that is not to be retained, or that is being handed over: the reclaim policy to restore. */
export const reclaimPolicyAnnotation = 'cdi.kubevirt.io/rebind.reclaimPolicy';
/** On a temporary VolumeSnapshot whose content was to be retained and is not any more: when the snapshot controller was told, as RFC 3339. */
export const contentReleasedAnnotation = 'cdi.kubevirt.io/work.contentReleased';
/** On a PersistentVolume that has been handed over: uid of the claim that has it now. */
export const handedToAnnotation = 'cdi.kubevirt.io/rebind.handedTo';
/** On a claim that is being cloned into, once its clone has been planned: its own uid, which no copy of the claim has. */
export const cloneBegunAnnotation = 'cdi.kubevirt.io/clone.begunFor';
/** On a claim that is being cloned into: how that is done, in words. */
export const clonePlanAnnotation = 'cdi.kubevirt.io/clone.plan';
/** On a claim that is being cloned into, once the driver has refused to restore the snapshot at the size that it tells for that. */
export const restoreSizeRefusedAnnotation = 'cdi.kubevirt.io/clone.restoreSizeRefused';
/** On a claim that is or was being cloned into: when each phase began, as a JSON object of RFC 3339 times by phase. */
export const phaseTimesAnnotation = 'cdi.kubevirt.io/clone.phaseTimes';
/** On a claim into which bytes are being moved: how many per second, as a whole number. */
export const transferRateAnnotation = 'cdi.kubevirt.io/transfer.bytesPerSecond';
