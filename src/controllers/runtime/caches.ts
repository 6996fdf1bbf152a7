import { cdis } from '../../api/cdi.ts';
import { cdiConfigs } from '../../api/cdi-config.ts';
import { cloneGrants } from '../../api/clone-grant.ts';
import { dataImportCrons } from '../../api/data-import-cron.ts';
import { dataSources } from '../../api/data-source.ts';
import { dataVolumes } from '../../api/data-volume.ts';
import { objectLabels } from '../../api/labels.ts';
import { storageProfiles } from '../../api/storage-profile.ts';
import { volumeCloneSources } from '../../api/volume-clone-source.ts';
import { volumeImportSources } from '../../api/volume-import-source.ts';
import { volumeUploadSources } from '../../api/volume-upload-source.ts';
import {
  csiDrivers,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  resourceQuotas,
  storageClasses,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
} from '../../kube/builtin-resources.ts';
import type { Informer, InformerOptions } from '../../kube/informer.ts';
import type { Manager } from '../../kube/manager.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import { volumeSnapshotClasses, volumeSnapshots } from '../../kube/snapshot-resources.ts';
import { prunePod, pruneQuota, pruneVolume } from './prune.ts';
import type { Right } from './rights.ts';

interface Cached<T extends KubeObject> {
  readonly resource: Resource<T>;
  readonly options?: InformerOptions<T>;
}

function cached<T extends KubeObject>(resource: Resource<T>, options: InformerOptions<T> = {}): Cached<T> {
  return { resource, options };
}

/** Options that select the policies of deploy/admission among those of a cluster. */
const ownPolicies = {
  labelSelector: `app=${objectLabels.app}`,
  mayBeAbsent: true,
};

/**
 * The resources that several controllers read. A resource that only one controller reads is cached by that controller
 * through the manager, with the same watch for the same resource and options.
 */
export const cachedResources = {
  claims: cached(persistentVolumeClaims),
  volumes: cached(persistentVolumes, { prune: pruneVolume }),
  pods: cached(pods, { prune: prunePod }),
  storageClasses: cached(storageClasses),
  csiDrivers: cached(csiDrivers),
  snapshots: cached(volumeSnapshots, { mayBeAbsent: true }),
  snapshotClasses: cached(volumeSnapshotClasses, { mayBeAbsent: true }),
  dataVolumes: cached(dataVolumes),
  importSources: cached(volumeImportSources),
  uploadSources: cached(volumeUploadSources),
  cloneSources: cached(volumeCloneSources),
  cloneGrants: cached(cloneGrants),
  dataSources: cached(dataSources),
  dataImportCrons: cached(dataImportCrons),
  storageProfiles: cached(storageProfiles),
  cdis: cached(cdis),
  cdiConfigs: cached(cdiConfigs),
  quotas: cached(resourceQuotas, { prune: pruneQuota }),
  policies: cached(validatingAdmissionPolicies, ownPolicies),
  policyBindings: cached(validatingAdmissionPolicyBindings, ownPolicies),
};

/** The shared caches, kept up to date by watches. */
export type Caches = {
  readonly [Name in keyof typeof cachedResources]: (typeof cachedResources)[Name] extends Cached<infer T>
    ? Informer<T>
    : never;
};

/** Rights that are needed to fill the shared caches. */
export const cachingRights: readonly Right[] = Object.values(cachedResources).map(({ resource }) => ({
  resource,
  verbs: ['list', 'watch'],
}));

/** Creates the caches that the controllers share. They are filled when the manager runs. */
export function createCaches(manager: Pick<Manager, 'informer'>): Caches {
  const entries = Object.entries(cachedResources as unknown as Readonly<Record<string, Cached<KubeObject>>>);
  return Object.fromEntries(
    entries.map(([name, { resource, options }]) => [name, manager.informer(resource, options)]),
  ) as unknown as Caches;
}
