import type { CDI } from '../../api/cdi.ts';
import type { CDIConfig } from '../../api/cdi-config.ts';
import type { CloneGrant } from '../../api/clone-grant.ts';
import type { DataSource } from '../../api/data-source.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { CDI_GROUP } from '../../api/group.ts';
import { objectLabels } from '../../api/labels.ts';
import type { StorageProfile } from '../../api/storage-profile.ts';
import type { VolumeCloneSource } from '../../api/volume-clone-source.ts';
import type { VolumeImportSource } from '../../api/volume-import-source.ts';
import {
  csiDrivers,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  resourceQuotas,
  storageClasses,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
  type CSIDriver,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  type ResourceQuota,
  type StorageClass,
  type ValidatingAdmissionPolicy,
  type ValidatingAdmissionPolicyBinding,
} from '../../kube/builtin-resources.ts';
import type { Informer } from '../../kube/informer.ts';
import type { Manager } from '../../kube/manager.ts';
import type { KubeObject } from '../../kube/resource.ts';
import {
  volumeSnapshotClasses,
  volumeSnapshots,
  type VolumeSnapshot,
  type VolumeSnapshotClass,
} from '../../kube/snapshot-resources.ts';
import { clonedBy } from '../references/cloned.ts';
import { dependenciesOfDataSource, dependenciesOfDataVolume } from '../references/data-source-of.ts';
import {
  promisedToAnnotation,
  promisedToClaimAnnotation,
  workForAnnotation,
  workForClaimAnnotation,
} from '../objects/internal-annotations.ts';
import { prunePod, pruneVolume, pruneQuota } from './prune.ts';
import {
  cdiConfigs,
  cdis,
  cloneGrants,
  dataSources,
  dataVolumes,
  storageProfiles,
  volumeCloneSources,
  volumeImportSources,
} from './resources.ts';

/** Index of claims by the uid of the target claim that they are temporary for. */
export const BY_TARGET = 'target';
/** Index of claims, snapshots and pods by `namespace/name` of the claim that they were made for, and of volumes by that of the one that they are promised to. */
export const BY_TARGET_KEY = 'target-key';
/** Index of pods by `namespace/name` of each claim that they mount. */
export const BY_CLAIM = 'claim';
/** Index of claims by `namespace/name` of the object that their dataSourceRef names. */
export const BY_DATA_SOURCE = 'data-source';
/** Index of VolumeCloneSources by the kind and `namespace/name` of what is cloned. */
export const BY_CLONED = 'cloned';
/** Index of DataSources by what they stand for, and of DataVolumes by the DataSource that they are cloned from. */
export const BY_DEPENDENCY = 'dependency';
/** Index of volumes by the uid of the claim that they are promised to. */
export const BY_PROMISE = 'promise';

/** Everything that the controllers read, kept up to date by watches. */
export interface Caches {
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly volumes: Informer<PersistentVolume>;
  readonly pods: Informer<Pod>;
  readonly storageClasses: Informer<StorageClass>;
  readonly csiDrivers: Informer<CSIDriver>;
  readonly snapshots: Informer<VolumeSnapshot>;
  readonly snapshotClasses: Informer<VolumeSnapshotClass>;
  readonly dataVolumes: Informer<DataVolume>;
  readonly importSources: Informer<VolumeImportSource>;
  readonly cloneSources: Informer<VolumeCloneSource>;
  readonly cloneGrants: Informer<CloneGrant>;
  readonly dataSources: Informer<DataSource>;
  readonly storageProfiles: Informer<StorageProfile>;
  readonly cdis: Informer<CDI>;
  readonly cdiConfigs: Informer<CDIConfig>;
  readonly quotas: Informer<ResourceQuota>;
  readonly policies: Informer<ValidatingAdmissionPolicy>;
  readonly policyBindings: Informer<ValidatingAdmissionPolicyBinding>;
}

/** Of the policies of a cluster, those of deploy/admission. */
const ownPolicies = {
  labelSelector: `app=${objectLabels.app}`,
  mayBeAbsent: true,
};

/** Makes the caches that the controllers share. They are filled when the manager runs. */
export function createCaches(manager: Manager): Caches {
  const caches: Caches = {
    claims: manager.informer(persistentVolumeClaims),
    volumes: manager.informer(persistentVolumes, { prune: pruneVolume }),
    pods: manager.informer(pods, { prune: prunePod }),
    storageClasses: manager.informer(storageClasses),
    csiDrivers: manager.informer(csiDrivers),
    snapshots: manager.informer(volumeSnapshots, { mayBeAbsent: true }),
    snapshotClasses: manager.informer(volumeSnapshotClasses, { mayBeAbsent: true }),
    dataVolumes: manager.informer(dataVolumes),
    importSources: manager.informer(volumeImportSources),
    cloneSources: manager.informer(volumeCloneSources),
    cloneGrants: manager.informer(cloneGrants),
    dataSources: manager.informer(dataSources),
    storageProfiles: manager.informer(storageProfiles),
    cdis: manager.informer(cdis),
    cdiConfigs: manager.informer(cdiConfigs),
    quotas: manager.informer(resourceQuotas, { prune: pruneQuota }),
    policies: manager.informer(validatingAdmissionPolicies, ownPolicies),
    policyBindings: manager.informer(validatingAdmissionPolicyBindings, ownPolicies),
  };
  addIndexes(caches);
  return caches;
}

/** Adds the indexes that the controllers look into, to caches that may be filled already. */
export function addIndexes(caches: Caches): void {
  caches.claims.addIndex(BY_TARGET, (claim) => annotationValues(claim.metadata?.annotations, workForAnnotation));
  caches.claims.addIndex(BY_DATA_SOURCE, (claim) => {
    const reference = claim.spec?.dataSourceRef;
    return reference?.apiGroup === CDI_GROUP ? [`${claim.metadata?.namespace}/${reference.name}`] : [];
  });
  caches.snapshots.addIndex(BY_TARGET, (snapshot) =>
    annotationValues(snapshot.metadata?.annotations, workForAnnotation),
  );
  for (const cache of [caches.claims, caches.snapshots, caches.pods] as readonly Pick<
    Informer<KubeObject>,
    'addIndex'
  >[])
    cache.addIndex(BY_TARGET_KEY, ({ metadata }) => annotationValues(metadata?.annotations, workForClaimAnnotation));
  caches.volumes.addIndex(BY_TARGET_KEY, ({ metadata }) =>
    annotationValues(metadata?.annotations, promisedToClaimAnnotation),
  );
  caches.cloneSources.addIndex(BY_CLONED, clonedBy);
  caches.dataSources.addIndex(BY_DEPENDENCY, dependenciesOfDataSource);
  caches.dataVolumes.addIndex(BY_DEPENDENCY, dependenciesOfDataVolume);
  caches.pods.addIndex(BY_CLAIM, claimsOf);
  caches.volumes.addIndex(BY_PROMISE, (volume) => annotationValues(volume.metadata?.annotations, promisedToAnnotation));
}

/** `namespace/name` of each claim that a pod mounts. */
export function claimsOf(pod: Pod): string[] {
  return (pod.spec?.volumes ?? []).flatMap((volume) =>
    volume.persistentVolumeClaim ? [`${pod.metadata?.namespace}/${volume.persistentVolumeClaim.claimName}`] : [],
  );
}

function annotationValues(annotations: Record<string, string> | undefined, name: string): string[] {
  const value = annotations?.[name];
  return value === undefined ? [] : [value];
}
