import { populationAnnotation, stateAnnotation, userAnnotation } from '../../api/annotations.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { finalizer } from '../../api/finalizers.ts';
import { CDI_API_VERSION, CDI_GROUP } from '../../api/group.ts';
import { hasStages } from '../../api/import-stages.ts';
import { EXCLUDE_FROM_BACKUP_LABEL, noFillingUpAlert, objectLabels } from '../../api/labels.ts';
import type { VolumeCloneSource } from '../../api/volume-clone-source.ts';
import type { VolumeImportSource } from '../../api/volume-import-source.ts';
import type { VolumeUploadSource } from '../../api/volume-upload-source.ts';
import { ownerReference } from '../../kube/apply.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { keyOf } from '../../kube/key.ts';
import { importAnnotations } from '../import/importer/annotations.ts';
import { firstStageAnnotations } from '../import/stages/plan-of-claim.ts';
import { uploadAnnotations } from '../upload/server/annotations.ts';
import type { Population } from './population.ts';
import { importSourceOf, sourceKindOf } from './source-kind.ts';
import { sourceObjectName, stagesOf } from './stages.ts';

const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

const userAnnotations: ReadonlySet<string> = new Set(Object.values(userAnnotation));

/**
 * The domains, and suffixes of domains, of annotations that control the behaviour of controllers, Diskpress's and the
 * cluster's.
 */
const STEERING_PREFIXES = [
  'cdi.kubevirt.io',
  'k8s.io',
  'pv.kubernetes.io',
  'volume.kubernetes.io',
  'volume.beta.kubernetes.io',
];

/** The kinds of objects that say what a claim is populated from. */
const sourceObjects = {
  import: 'VolumeImportSource',
  upload: 'VolumeUploadSource',
  clone: 'VolumeCloneSource',
} as const;

/** The objects that are created for a DataVolume. */
export interface DataVolumeObjects {
  readonly claim: PersistentVolumeClaim;
  readonly importSource?: VolumeImportSource;
  readonly uploadSource?: VolumeUploadSource;
  readonly cloneSource?: VolumeCloneSource;
}

/**
 * Returns the claim of a DataVolume, and the source object that it is populated from. Without a populator, the claim
 * either names its source to the CSI driver, or carries the request in its annotations and is written directly.
 */
export function dataVolumeObjects(
  dataVolume: DataVolume,
  spec: NonNullable<PersistentVolumeClaim['spec']>,
  options: { readonly population: Population; readonly preallocation: boolean },
): DataVolumeObjects {
  const kind = sourceKindOf(dataVolume.spec);
  const { population } = options;
  const howPopulated = { [userAnnotation.usePopulator]: String(population.by === 'populator') };
  if (kind === 'external-population') return { claim: claimOf(dataVolume, spec, howPopulated) };
  const name = sourceObjectName(dataVolume, kind);
  const sourceMetadata = {
    name,
    namespace: keyOf(dataVolume).namespace,
    labels: { ...objectLabels },
    ownerReferences: [ownerReference(dataVolume, { controller: true })],
  };
  if (population.by === 'driver') {
    return { claim: claimOf(dataVolume, { ...spec, dataSource: population.dataSource }, howPopulated) };
  }
  if (population.by === 'itself') {
    return {
      claim: claimOf(dataVolume, spec, { ...directAnnotations(dataVolume, options.preallocation), ...howPopulated }),
    };
  }
  const claim = claimOf(
    dataVolume,
    {
      ...spec,
      dataSourceRef: { apiGroup: CDI_GROUP, kind: sourceObjects[kind], name },
    },
    { ...populationAnnotations(options.preallocation), ...howPopulated },
  );
  // This saves the populator a write of its own before it can create anything.
  claim.metadata = { ...claim.metadata, finalizers: [finalizer.clonePopulator] };
  if (kind === 'import') {
    return {
      claim,
      importSource: {
        apiVersion: CDI_API_VERSION,
        kind: 'VolumeImportSource',
        metadata: sourceMetadata,
        spec: {
          source: importSourceOf(dataVolume.spec.source ?? {}),
          contentType: contentTypeOf(dataVolume),
          preallocation: options.preallocation,
          ...(hasStages(dataVolume.spec) ? { ...stagesOf(dataVolume.spec), targetClaim: claim.metadata?.name } : {}),
        },
      },
    };
  }
  if (kind === 'upload') {
    return {
      claim,
      uploadSource: {
        apiVersion: CDI_API_VERSION,
        kind: 'VolumeUploadSource',
        metadata: sourceMetadata,
        spec: { contentType: contentTypeOf(dataVolume), preallocation: options.preallocation },
      },
    };
  }
  const { pvc, snapshot } = dataVolume.spec.source ?? {};
  const from = pvc ?? snapshot;
  const elsewhere = from !== undefined && from.namespace !== sourceMetadata.namespace;
  return {
    claim,
    cloneSource: {
      apiVersion: CDI_API_VERSION,
      kind: 'VolumeCloneSource',
      metadata: {
        ...sourceMetadata,
        // A source in another namespace is set only from the DataVolume; nobody else may write one.
        labels: { ...sourceMetadata.labels, [EXCLUDE_FROM_BACKUP_LABEL]: 'true' },
        ...(elsewhere ? { annotations: { [stateAnnotation.dataSourceNamespace]: from.namespace } } : {}),
      },
      spec: {
        source: pvc
          ? { kind: 'PersistentVolumeClaim', name: pvc.name }
          : { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: snapshot?.name ?? '' },
        preallocation: options.preallocation,
        ...(dataVolume.spec.priorityClassName ? { priorityClassName: dataVolume.spec.priorityClassName } : {}),
      },
    },
  };
}

/** Returns a DataVolume's claim, with the labels and annotations that it inherits from the DataVolume. */
export function claimOf(
  dataVolume: DataVolume,
  spec: NonNullable<PersistentVolumeClaim['spec']>,
  annotations: Readonly<Record<string, string>>,
): PersistentVolumeClaim {
  const { metadata } = dataVolume;
  const inherited = Object.fromEntries(
    Object.entries(metadata.annotations ?? {}).filter(([name]) => isInherited(name)),
  );
  const { priorityClassName, serviceAccountName } = dataVolume.spec;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...keyOf(dataVolume),
      labels: { ...noFillingUpAlert, ...metadata.labels, ...objectLabels },
      annotations: {
        ...inherited,
        [stateAnnotation.createdForDataVolume]: metadata.uid ?? '',
        [populationAnnotation.contentType]: contentTypeOf(dataVolume),
        ...(priorityClassName ? { [userAnnotation.podPriorityClassName]: priorityClassName } : {}),
        ...(serviceAccountName ? { [userAnnotation.podServiceAccountName]: serviceAccountName } : {}),
        ...annotations,
      },
      ownerReferences: [ownerReference(dataVolume, { controller: true })],
    },
    spec,
  };
}

/**
 * Returns whether the claim inherits an annotation. The controllers write the claim with their own rights, so
 * annotations that the author of the DataVolume could not set on it directly are left out.
 */
function isInherited(name: string): boolean {
  if (userAnnotations.has(name)) return true;
  const prefix = name.split('/')[0] ?? '';
  const steers = STEERING_PREFIXES.some((each) => prefix === each || prefix.endsWith(`.${each}`));
  return !steers && name !== LAST_APPLIED_ANNOTATION;
}

function populationAnnotations(preallocation: boolean): Record<string, string> {
  return preallocation ? { [populationAnnotation.preallocationRequested]: 'true' } : {};
}

/**
 * Returns the annotations that the populator would write on its working claim, for a claim that is populated directly.
 */
function directAnnotations(dataVolume: DataVolume, preallocation: boolean): Record<string, string> {
  const { source } = dataVolume.spec;
  if (source?.pvc) {
    return {
      ...populationAnnotations(preallocation),
      [populationAnnotation.cloneRequest]: `${source.pvc.namespace}/${source.pvc.name}`,
      [stateAnnotation.cloneType]: 'copy',
      [stateAnnotation.cloneFallbackReason]: 'NoPopulator',
    };
  }
  const options = { contentType: contentTypeOf(dataVolume), preallocation };
  if (source?.upload) return uploadAnnotations(options);
  return { ...importAnnotations(importSourceOf(source ?? {}), options), ...firstStageAnnotations(dataVolume.spec) };
}

function contentTypeOf(dataVolume: DataVolume): 'kubevirt' | 'archive' {
  return dataVolume.spec.contentType ?? 'kubevirt';
}
