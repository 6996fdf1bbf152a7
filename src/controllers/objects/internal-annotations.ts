/**
 * Annotations in which the controllers record their own progress. Unlike those of src/api they are not a contract:
 * nobody else may rely on them.
 */

/**
 * On every temporary object of the controllers: UID of the claim that it was made for. It is the mark by which they
 * recognise their objects, and like the other annotations with the prefix `work.`, nobody else may write it:
 * deploy/admission/controller-marks.yaml.
 */
export const workForAnnotation = 'cdi.kubevirt.io/work.targetUID';
/** On a temporary object: `namespace/name` of the target claim that it was made for. */
export const workForClaimAnnotation = 'cdi.kubevirt.io/work.targetClaim';
/**
 * On a pod that is to be retained in another namespace than its target claim, which cannot own it there: UID of that
 * claim.
 */
export const retainedForAnnotation = 'cdi.kubevirt.io/work.retainedForUID';
/** On such a pod: `namespace/name` of its target claim. */
export const retainedForClaimAnnotation = 'cdi.kubevirt.io/work.retainedForClaim';
/** On a CloneGrant whose clone is complete: the time of completion in RFC 3339. The grant permits nothing any more. */
export const grantUsedAnnotation = 'cdi.kubevirt.io/clone.completed';
/** On a working claim that is copied into: UID of the claim that is copied. */
export const workSourceUidAnnotation = 'cdi.kubevirt.io/work.sourceUID';
/** On a working claim that was restored from an earlier copy of its source: UID of the snapshot of that copy. */
export const workBaseAnnotation = 'cdi.kubevirt.io/work.baseUID';
/**
 * On the two snapshots of a base, which is what is kept of a copy for the next one, and on a working claim of which one
 * is to be kept: UID of the claim that was copied.
 */
export const baseOfAnnotation = 'cdi.kubevirt.io/work.baseOf';
/** On the snapshot of a copy, and on a working claim of which one is to be kept: UID of its storage class. */
export const baseClassAnnotation = 'cdi.kubevirt.io/work.baseClass';
/** On the snapshot of a copy: name of the snapshot of its source, in the same namespace. */
export const baseSourceAnnotation = 'cdi.kubevirt.io/work.baseSource';
/** On the snapshot of a copy: UID of the snapshot of its source. */
export const baseSourceUidAnnotation = 'cdi.kubevirt.io/work.baseSourceUID';
/** On the snapshot of a copy: its size in bytes, as the storage tells it. */
export const baseSizeAnnotation = 'cdi.kubevirt.io/work.baseSize';
/**
 * On a working claim of which a base is to be kept, once its pods are about to be made for the first time: UID of the
 * snapshot of the source; empty where there is none. Pods that are made later may read what that snapshot lacks.
 */
export const workTakenAnnotation = 'cdi.kubevirt.io/work.takenUID';
/**
 * On a claim that is copied into: when its source was last found in use between two pods that read it; RFC 3339. What
 * had arrived before is not resumed.
 */
export const workReadSinceAnnotation = 'cdi.kubevirt.io/work.readSince';
/** On a claim that is being cloned into: why it does not begin with an earlier copy, though there may be one. */
export const baseRefusedAnnotation = 'cdi.kubevirt.io/clone.baseRefused';
/** On a claim that is copied into: that no node took one pod with both volumes, so that each gets one of its own. */
export const onePodGivenUpAnnotation = 'cdi.kubevirt.io/copy.onePodGivenUp';
/**
 * On a claim with an import or upload in progress: the last checkpoint that its pod reported, from which another one
 * can resume.
 */
export const transferCheckpointAnnotation = 'cdi.kubevirt.io/import.checkpoint';
/**
 * On a claim with an import in progress: the transfer that its pod has open at another system, such as an oVirt engine,
 * which the next pod ends where that one was killed.
 */
export const openTransferAnnotation = 'cdi.kubevirt.io/import.openTransfer';
/** On a PersistentVolume that is being rebound: UID of the claim that it is promised to. */
export const promisedToAnnotation = 'cdi.kubevirt.io/rebind.targetUID';
/** On a PersistentVolume that is being rebound: `namespace/name` of the claim that it is promised to. */
export const promisedToClaimAnnotation = 'cdi.kubevirt.io/rebind.targetClaim';
/** On a PersistentVolume that is being rebound: UID of the working claim that it is taken from. */
export const promisedByAnnotation = 'cdi.kubevirt.io/rebind.workingUID';
/**
 * On a PersistentVolume of a temporary claim that is not to be retained, or that is being rebound: the reclaim policy
 * to restore.
 */
export const reclaimPolicyAnnotation = 'cdi.kubevirt.io/rebind.reclaimPolicy';
/**
 * On a temporary VolumeSnapshot whose content would have been retained: the RFC 3339 time at which the snapshot
 * controller was notified that it is deleted instead.
 */
export const contentReleasedAnnotation = 'cdi.kubevirt.io/work.contentReleased';
/** On a PersistentVolume that has been rebound: UID of the claim that has it now. */
export const handedToAnnotation = 'cdi.kubevirt.io/rebind.handedTo';
/**
 * On a claim that is being cloned into, once its clone has been planned: its own UID, which no copy of the claim has.
 */
export const cloneBegunAnnotation = 'cdi.kubevirt.io/clone.begunFor';
/** On a claim that is being cloned into: the plan of its clone, in words. */
export const clonePlanAnnotation = 'cdi.kubevirt.io/clone.plan';
/**
 * On a claim that is being cloned into: that the driver refused to restore the snapshot at the restore size that it
 * reports.
 */
export const restoreSizeRefusedAnnotation = 'cdi.kubevirt.io/clone.restoreSizeRefused';
/** On a claim that is or was being cloned into: when each phase began, as a JSON object of RFC 3339 times by phase. */
export const phaseTimesAnnotation = 'cdi.kubevirt.io/clone.phaseTimes';
/** On a claim with a transfer in progress: its rate in bytes per second, as a whole number. */
export const transferRateAnnotation = 'cdi.kubevirt.io/transfer.bytesPerSecond';
/**
 * On the bundle of an authority, and on the public keys of upload tokens: the RFC 3339 time of their last change, from
 * which on everybody has come to know it.
 */
export const announcedAnnotation = 'cdi.kubevirt.io/certificates.announced';
/** On the Secret with the signing key of upload tokens: the RFC 3339 time at which the newest key was made. */
export const signingKeyMadeAnnotation = 'cdi.kubevirt.io/signing-key.made';
