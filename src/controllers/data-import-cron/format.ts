import { storageProfileAnnotation } from '../../api/annotations.ts';
import type { DataImportCron } from '../../api/data-import-cron.ts';
import { resolveStorageClassName } from '../../rendering/storage-class.ts';
import { chooseSnapshotClass } from '../claims/snapshot-class.ts';
import type { Caches } from '../runtime/caches.ts';

/** How images are kept: as claims, or as snapshots of this class. */
export type Format = { readonly kind: 'pvc' } | { readonly kind: 'snapshot'; readonly snapshotClass: string };

export interface Storage {
  /** Class that images are imported into; undefined where the template names none, and there is no default. */
  readonly storageClass: string | undefined;
  readonly format: Format;
  /** Whether one node at a time has to be able to use a claim with an image, where the template does not say. */
  readonly isReadWriteOnce: boolean;
}

type FormatCaches = Pick<Caches, 'storageClasses' | 'storageProfiles' | 'snapshotClasses'>;

/** Determines where, and in what form, the images of a DataImportCron are kept. */
export function storageFor(caches: FormatCaches, { spec }: DataImportCron): Storage {
  const template = spec.template.spec;
  const named = (template.pvc ?? template.storage)?.storageClassName;
  const name = resolveStorageClassName(named, 'kubevirt', caches.storageClasses.list());
  const profile = name ? caches.storageProfiles.get({ namespace: '', name }) : undefined;
  const annotations = profile?.metadata.annotations ?? {};
  const snapshotClass = profile && snapshotClassOf(caches, name ?? '', profile.status?.snapshotClass, annotations);
  const isSnapshot = profile?.status?.dataImportCronSourceFormat === 'snapshot' && snapshotClass !== undefined;
  return {
    storageClass: name,
    format: isSnapshot ? { kind: 'snapshot', snapshotClass } : { kind: 'pvc' },
    isReadWriteOnce: annotations[storageProfileAnnotation.useReadWriteOnceForDataImportCron] === 'true',
  };
}

function snapshotClassOf(
  caches: FormatCaches,
  storageClass: string,
  preferred: string | undefined,
  annotations: Readonly<Record<string, string>>,
): string | undefined {
  const provisioner = caches.storageClasses.get({ namespace: '', name: storageClass })?.provisioner;
  const forImages = annotations[storageProfileAnnotation.snapshotClassForDataImportCron];
  const classes = caches.snapshotClasses.list();
  const found = forImages ? chooseSnapshotClass(classes, provisioner, forImages) : undefined;
  return found ?? chooseSnapshotClass(classes, provisioner, preferred);
}
