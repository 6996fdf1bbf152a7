import { stateAnnotation } from '../api/annotations.ts';
import type { DataImportCron } from '../api/data-import-cron.ts';
import type { DataSource } from '../api/data-source.ts';
import type { DataVolume } from '../api/data-volume.ts';
import type { PersistentVolumeClaim } from '../kube/builtin-resources.ts';
import type { ObjectMeta } from '../kube/resource.ts';

/** Annotations of claims with what the controllers report have one of these prefixes. */
const CLAIM_ANNOTATIONS = /^(cdi\.kubevirt\.io\/|k8s\.io\/Clone)/;
/** In characters; the longer ones are for the controllers. */
const LONGEST_ANNOTATION = 4096;

/** Reduces a claim to how it is filled. */
export function pruneClaim({ metadata, spec, status }: PersistentVolumeClaim): PersistentVolumeClaim {
  return {
    metadata: {
      ...identity(metadata),
      ownerReferences: metadata?.ownerReferences,
      annotations: pick(
        metadata?.annotations,
        (name, value) => CLAIM_ANNOTATIONS.test(name) && value.length <= LONGEST_ANNOTATION,
      ),
    },
    spec: { dataSourceRef: spec?.dataSourceRef, volumeName: spec?.volumeName },
    status: { phase: status?.phase },
  };
}

/** Reduces a DataVolume to where its data comes from and what has become of it. */
export function pruneDataVolume({ apiVersion, kind, metadata, spec, status }: DataVolume): DataVolume {
  const { source, sourceRef } = spec;
  return {
    apiVersion,
    kind,
    metadata: {
      ...identity(metadata),
      annotations: pick(metadata.annotations, (name) => name === stateAnnotation.cloneType),
    },
    spec: { ...(source && { source }), ...(sourceRef && { sourceRef }) },
    ...(status && {
      status: {
        phase: status.phase,
        progress: status.progress,
        conditions: status.conditions?.filter(({ type }) => type === 'Running'),
      },
    }),
  };
}

/** Reduces a DataImportCron to what it imports, and the state of that. */
export function pruneDataImportCron(cron: DataImportCron): DataImportCron {
  return { ...cron, metadata: identity(cron.metadata) };
}

/** Reduces a DataSource to what it stands for. */
export function pruneDataSource(dataSource: DataSource): DataSource {
  return { ...dataSource, metadata: identity(dataSource.metadata) };
}

function identity(metadata: ObjectMeta | undefined): ObjectMeta {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp } = metadata ?? {};
  return { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp };
}

function pick(
  annotations: Readonly<Record<string, string>> | undefined,
  isKept: (name: string, value: string) => boolean,
): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations ?? {}).filter(([name, value]) => isKept(name, value)));
}
