import { dataImportCronAnnotation, userAnnotation } from '../../api/annotations.ts';
import type { DataImportCron } from '../../api/data-import-cron.ts';
import type { DataSource } from '../../api/data-source.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { CDI_API_VERSION } from '../../api/group.ts';
import {
  DATA_IMPORT_CRON_CLEANUP_LABEL,
  DATA_IMPORT_CRON_LABEL,
  defaultInstancetypeLabels,
  DYNAMIC_CREDENTIALS_LABEL,
  objectLabels,
} from '../../api/labels.ts';
import { ownerReference } from '../../kube/apply.ts';
import type { OwnerReference } from '../../kube/resource.ts';
import { pickAnnotations } from '../objects/pick-annotations.ts';
import { pinnedSource } from './pinned-source.ts';

const OWN_PREFIX = 'cdi.kubevirt.io/';
const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/** Annotations that would have the controllers lose sight of an import, or take another claim for it. */
const WITHOUT_EFFECT: readonly string[] = [
  userAnnotation.deleteAfterCompletion,
  userAnnotation.allowClaimAdoption,
  userAnnotation.checkStaticVolume,
];
const handedOn: ReadonlySet<string> = new Set(
  Object.values(userAnnotation).filter((name) => !WITHOUT_EFFECT.includes(name)),
);

/** Labels of a DataImportCron that its images and its DataSource have too. */
const imageLabels = [...defaultInstancetypeLabels, DYNAMIC_CREDENTIALS_LABEL];

/** Returns the labels of everything that a DataImportCron makes. */
export function labelsOf({ metadata, spec }: DataImportCron): Record<string, string> {
  return {
    ...pickAnnotations(metadata.labels, imageLabels),
    ...objectLabels,
    [DATA_IMPORT_CRON_LABEL]: metadata.name ?? '',
    ...(spec.retentionPolicy === 'None' ? { [DATA_IMPORT_CRON_CLEANUP_LABEL]: 'true' } : {}),
  };
}

/** Returns the owners of everything that a DataImportCron makes: itself, where nothing is to outlive it. */
export function ownersOf(cron: DataImportCron): OwnerReference[] {
  return cron.spec.retentionPolicy === 'None' ? [ownerReference(cron)] : [];
}

/** Returns the DataVolume that imports an image. */
export function importOf(
  cron: DataImportCron,
  image: {
    readonly name: string;
    readonly digest: string;
    readonly storageClass: string | undefined;
    readonly isReadWriteOnce: boolean;
  },
): DataVolume {
  const { metadata, spec } = structuredClone(cron.spec.template);
  const annotations = Object.entries(metadata?.annotations ?? {}).filter(([name]) => isHandedOn(name));
  const labels = Object.entries(metadata?.labels ?? {}).filter(([name]) => !name.startsWith(OWN_PREFIX));
  const isOpen = image.isReadWriteOnce && spec.storage && !spec.storage.accessModes?.length;
  return {
    apiVersion: CDI_API_VERSION,
    kind: 'DataVolume',
    metadata: {
      namespace: cron.metadata.namespace,
      name: image.name,
      labels: { ...Object.fromEntries(labels), ...labelsOf(cron) },
      annotations: {
        ...Object.fromEntries(annotations),
        ...pickAnnotations(cron.metadata.annotations, [userAnnotation.podRetainAfterCompletion]),
        [userAnnotation.bindImmediateRequested]: 'true',
        ...(image.storageClass ? { [dataImportCronAnnotation.storageClass]: image.storageClass } : {}),
      },
      ownerReferences: ownersOf(cron),
    },
    spec: {
      ...spec,
      source: pinnedSource(cron, image.digest),
      ...(isOpen ? { storage: { ...spec.storage, accessModes: ['ReadWriteOnce'] } } : {}),
    },
  };
}

/** Returns the DataSource that a DataImportCron manages, which stands for nothing yet. */
export function newDataSource(cron: DataImportCron, source: DataSource['spec']['source']): DataSource {
  return {
    apiVersion: CDI_API_VERSION,
    kind: 'DataSource',
    metadata: {
      namespace: cron.metadata.namespace,
      name: cron.spec.managedDataSource,
      labels: labelsOf(cron),
      ownerReferences: ownersOf(cron),
    },
    spec: { source },
  };
}

function isHandedOn(name: string): boolean {
  return handedOn.has(name) || !(name.startsWith(OWN_PREFIX) || name === LAST_APPLIED_ANNOTATION);
}
