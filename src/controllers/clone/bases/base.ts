import { userAnnotation } from '../../../api/annotations.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyOf } from '../../../kube/key.ts';
import { annotationIndex } from '../../../kube/object-index.ts';
import type { VolumeSnapshot } from '../../../kube/snapshot-resources.ts';
import {
  baseClassAnnotation,
  baseOfAnnotation,
  baseSourceAnnotation,
  baseSourceUidAnnotation,
} from '../../objects/internal-annotations.ts';
import type { Caches } from '../../runtime/caches.ts';
import { volumeModeOf } from '../../transfers/transfer-target.ts';

/** Writes on working claims what is noted there for their bases. */
export const BASE_FIELD_MANAGER = 'diskpress-copy-base';

type SnapshotCache = Pick<Caches, 'snapshots'>;

/** Index of the snapshots of bases, by the uid of the claim that was copied. */
export const byBaseOf = annotationIndex(baseOfAnnotation);

/**
 * What is kept of a copy, so that the next one of the same source into the same class sends only what has changed: two
 * snapshots in the source's namespace. Nobody but the controllers can write the marks by which they are known.
 */
export interface Base {
  /** Of the source, as it was when it was copied. */
  readonly source: VolumeSnapshot;
  /** Of the copy, as it was before it was handed over. */
  readonly copy: VolumeSnapshot;
}

/** Whether the owner of a claim wants repeated copies of it to be incremental. */
export function isIncremental(source: PersistentVolumeClaim): boolean {
  return source.metadata?.annotations?.[userAnnotation.incrementalClone] === 'true' && volumeModeOf(source) === 'Block';
}

/** Whether a base is to be kept of what is copied into a working claim. */
export function keepsBase({ metadata }: PersistentVolumeClaim): boolean {
  return metadata?.annotations?.[baseOfAnnotation] !== undefined;
}

/**
 * Returns the UID of the storage class of a target, by which its bases are known: the parameters of a class that was
 * made anew under the same name may be others, and with them, for one, the encryption.
 */
export function classUidOf(
  { storageClasses }: Pick<Caches, 'storageClasses'>,
  { spec }: PersistentVolumeClaim,
): string | undefined {
  return storageClasses.get({ namespace: '', name: spec?.storageClassName ?? '' })?.metadata?.uid;
}

/** Returns the newest usable base of a source in a storage class, by their UIDs. */
export function findBase(
  caches: SnapshotCache,
  sourceUid: string | undefined,
  classUid: string | undefined,
): Base | undefined {
  return copiesOf(caches, sourceUid)
    .filter(({ metadata }) => metadata?.annotations?.[baseClassAnnotation] === classUid)
    .map((copy) => baseOf(caches, copy))
    .find((base) => base !== undefined);
}

/** Returns the snapshots of copies of a source, the newest first. */
export function copiesOf({ snapshots }: SnapshotCache, sourceUid: string | undefined): VolumeSnapshot[] {
  return snapshots
    .byIndex(byBaseOf, sourceUid ?? '')
    .filter((each) => isOfCopy(each) && !isBeingDeleted(each))
    .sort((a, b) => madeAt(b).localeCompare(madeAt(a)) || keyOf(a).name.localeCompare(keyOf(b).name));
}

/** Whether a snapshot of a base is that of the copy, and not that of the source. */
export function isOfCopy({ metadata }: VolumeSnapshot): boolean {
  return metadata?.annotations?.[baseClassAnnotation] !== undefined;
}

/** Returns the base that a snapshot of a copy belongs to; undefined where a part of it is gone, or not ready. */
export function baseOf({ snapshots }: SnapshotCache, copy: VolumeSnapshot): Base | undefined {
  const { namespace = '', annotations } = copy.metadata ?? {};
  const source = snapshots.get({ namespace, name: annotations?.[baseSourceAnnotation] ?? '' });
  return source && belongsTo(source, copy) && [source, copy].every(isUsable) ? { source, copy } : undefined;
}

/** Whether a snapshot of a source was taken for the copy that another one is of. */
export function belongsTo(source: VolumeSnapshot, copy: VolumeSnapshot): boolean {
  return source.metadata?.uid === copy.metadata?.annotations?.[baseSourceUidAnnotation];
}

/** When the source was copied; RFC 3339. */
export function copiedAt({ source }: Base): string {
  return source.status?.creationTime ?? madeAt(source);
}

function isUsable(snapshot: VolumeSnapshot): boolean {
  return snapshot.status?.readyToUse === true && !isBeingDeleted(snapshot);
}

function madeAt({ metadata }: VolumeSnapshot): string {
  return String(metadata?.creationTimestamp ?? '');
}
