import type { PersistentVolume } from '../../kube/builtin-resources.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import type { VolumeSnapshot, VolumeSnapshotContent } from '../../kube/snapshot-resources.ts';
import { promisedToAnnotation } from './internal-annotations.ts';

/** Annotation of a PersistentVolume: the provisioner that created it. A manually created volume has none. */
export const PROVISIONED_BY_ANNOTATION = 'pv.kubernetes.io/provisioned-by';

/**
 * Reports whether a volume was provisioned for a claim, and belongs to nobody else. A claim can be bound to any free
 * volume, by its author's choice or by chance; but provisioners name their volumes by the UID of the claim that they
 * create them for, which nobody can choose.
 */
export function isProvisionedFor({ metadata, spec }: PersistentVolume, claimUid: string | undefined): boolean {
  return (
    Boolean(claimUid) &&
    spec?.claimRef?.uid === claimUid &&
    metadata?.annotations?.[PROVISIONED_BY_ANNOTATION] !== undefined &&
    (metadata.name?.endsWith(`-${claimUid}`) ?? false)
  );
}

/**
 * Reports whether a volume that was provisioned for a temporary claim would be retained after the claim is deleted. One
 * that is being rebound has to stay.
 */
export function staysBehind(volume: PersistentVolume, claimUid: string | undefined): boolean {
  return (
    volume.spec?.persistentVolumeReclaimPolicy === 'Retain' &&
    volume.metadata?.annotations?.[promisedToAnnotation] === undefined &&
    !isBeingDeleted(volume) &&
    isProvisionedFor(volume, claimUid)
  );
}

/**
 * Reports whether a content was taken for a snapshot, and does not refer to something that already existed in the
 * storage.
 */
export function isTakenFor({ metadata, spec }: VolumeSnapshotContent, snapshot: VolumeSnapshot): boolean {
  const { uid } = snapshot.metadata ?? {};
  return (
    Boolean(uid) &&
    spec.volumeSnapshotRef.uid === uid &&
    metadata?.name === contentNameOf(snapshot) &&
    spec.source.volumeHandle !== undefined &&
    spec.source.snapshotHandle === undefined
  );
}

/** Returns the name of the content that the snapshot controller creates for a snapshot that has to be taken. */
export function contentNameOf({ metadata }: VolumeSnapshot): string {
  return `snapcontent-${metadata?.uid}`;
}
