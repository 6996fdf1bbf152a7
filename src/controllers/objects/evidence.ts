import type { PersistentVolume } from '../../kube/builtin-resources.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import type { VolumeSnapshot, VolumeSnapshotContent } from '../../kube/snapshot-resources.ts';
import { promisedToAnnotation } from './internal-annotations.ts';

/** On a PersistentVolume: the provisioner that made it. One that was made by hand has none. */
export const PROVISIONED_BY_ANNOTATION = 'pv.kubernetes.io/provisioned-by';

/**
 * Whether a volume was provisioned for a claim, and is nobody else's. A claim can be bound to any free volume, by its author's or by
 * chance; but provisioners name what they make by the uid of the claim that they make it for, which nobody can choose.
 */
export function isProvisionedFor({ metadata, spec }: PersistentVolume, claimUid: string | undefined): boolean {
  return (
    Boolean(claimUid) &&
    spec?.claimRef?.uid === claimUid &&
    metadata?.annotations?.[PROVISIONED_BY_ANNOTATION] !== undefined &&
    (metadata.name?.endsWith(`-${claimUid}`) ?? false)
  );
}

/** Whether a volume that was provisioned for a temporary claim would stay behind without it. One that is being handed over is to stay. */
export function staysBehind(volume: PersistentVolume, claimUid: string | undefined): boolean {
  return (
    volume.spec?.persistentVolumeReclaimPolicy === 'Retain' &&
    volume.metadata?.annotations?.[promisedToAnnotation] === undefined &&
    !isBeingDeleted(volume) &&
    isProvisionedFor(volume, claimUid)
  );
}

/** Whether a content is of what was taken for a snapshot, and not of something in the storage that was there before it. */
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

/** Name of the content that the snapshot controller makes for a snapshot that is to be taken. */
export function contentNameOf({ metadata }: VolumeSnapshot): string {
  return `snapcontent-${metadata?.uid}`;
}
