import { dataImportCronAnnotation } from '../../api/annotations.ts';
import type { DataImportCron } from '../../api/data-import-cron.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { DATA_IMPORT_CRON_LABEL } from '../../api/labels.ts';
import { controllerOf } from '../../kube/apply.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import { keyOf, type ObjectKey } from '../../kube/key.ts';
import { defineIndex } from '../../kube/object-index.ts';
import type { KubeObject } from '../../kube/resource.ts';
import type { VolumeSnapshot } from '../../kube/snapshot-resources.ts';
import { isBound } from '../claims/bound.ts';
import type { Caches } from '../runtime/caches.ts';

export type ImageCaches = Pick<Caches, 'dataVolumes' | 'claims' | 'snapshots'>;

/** Index of images in any form, by `namespace/name` of their DataImportCron. */
export const byCron = defineIndex<KubeObject>(({ metadata }) => {
  const name = metadata?.labels?.[DATA_IMPORT_CRON_LABEL];
  return name ? [`${metadata?.namespace}/${name}`] : [];
});

/** An image of a DataImportCron: what has its name and its label, and is not being deleted. */
export interface Image {
  readonly name: string;
  readonly dataVolume?: DataVolume | undefined;
  readonly claim?: PersistentVolumeClaim | undefined;
  readonly snapshot?: VolumeSnapshot | undefined;
}

/** What an image can be cloned from: a claim or a snapshot, both complete. */
export type Form =
  | { readonly kind: 'pvc'; readonly object: PersistentVolumeClaim }
  | { readonly kind: 'snapshot'; readonly object: VolumeSnapshot };

/**
 * Returns the images of a DataImportCron. Its label makes them so, and its namespace: who may write there decides what
 * they are.
 */
export function imagesOf(caches: ImageCaches, { metadata, spec }: DataImportCron): Image[] {
  const { namespace = '' } = metadata;
  const value = `${namespace}/${metadata.name}`;
  const isOwn = (object: KubeObject) =>
    !isBeingDeleted(object) && keyOf(object).name.startsWith(`${spec.managedDataSource}-`);
  const dataVolumes = new Map(own(caches.dataVolumes.byIndex(byCron, value), isOwn));
  const snapshots = new Map(own(caches.snapshots.byIndex(byCron, value), isOwn));
  // A claim that is still to go with its DataVolume may be incomplete.
  const isAlone = (object: KubeObject) => isOwn(object) && !controllerOf(object);
  const claims = new Map(own(caches.claims.byIndex(byCron, value), isAlone));
  const names = [...new Set([...dataVolumes.keys(), ...snapshots.keys(), ...claims.keys()])].sort();
  return names.map((name) => {
    const dataVolume = dataVolumes.get(name);
    const claim = dataVolume ? claimOf(caches, dataVolume) : claims.get(name);
    return { name, dataVolume, claim, snapshot: snapshots.get(name) };
  });
}

/** Returns the complete forms of an image, of which there are two while it is turned into the other one. */
export function formsOf({ dataVolume, claim, snapshot }: Image): Form[] {
  const isComplete = claim && isBound(claim) && (!dataVolume || dataVolume.status?.phase === 'Succeeded');
  return [
    ...(isComplete ? [{ kind: 'pvc', object: claim } as const] : []),
    ...(snapshot?.status?.readyToUse ? [{ kind: 'snapshot', object: snapshot } as const] : []),
  ];
}

/** Returns the class that an image is, or is to be, imported into; undefined where that is not known. */
export function storageClassOf({ dataVolume, claim, snapshot }: Image): string | undefined {
  const annotated = [dataVolume, claim, snapshot].map(
    (object) => object?.metadata?.annotations?.[dataImportCronAnnotation.storageClass],
  );
  return annotated.find((name) => name !== undefined) ?? claim?.spec?.storageClassName;
}

/** Returns when an image became the newest one last, in milliseconds since the epoch. */
export function lastUseOf(image: Image): number {
  return Math.max(0, ...[image.claim, image.snapshot].map((object) => timeOf(object)));
}

function timeOf(object: KubeObject | undefined): number {
  const { annotations, creationTimestamp } = object?.metadata ?? {};
  const annotated = Date.parse(annotations?.[dataImportCronAnnotation.lastUseTime] ?? '');
  return Number.isNaN(annotated) ? Date.parse(creationTimestamp ?? '') || 0 : annotated;
}

function own<T extends KubeObject>(objects: readonly T[], isOwn: (object: T) => boolean): [string, T][] {
  return objects.filter(isOwn).map((object) => [keyOf(object).name, object]);
}

function claimOf(caches: Pick<Caches, 'claims'>, dataVolume: DataVolume): PersistentVolumeClaim | undefined {
  const key: ObjectKey = keyOf(dataVolume);
  const claim = caches.claims.get(key);
  const isOurs = claim && controllerOf(claim)?.uid === dataVolume.metadata.uid && !isBeingDeleted(claim);
  return isOurs ? claim : undefined;
}
