import { addIndexes, type Caches } from '../../../../src/controllers/runtime/caches.ts';
import { prunePod, pruneVolume } from '../../../../src/controllers/runtime/prune.ts';
import {
  cdiConfigs,
  cdis,
  cloneGrants,
  dataSources,
  dataVolumes,
  storageProfiles,
  volumeCloneSources,
  volumeImportSources,
} from '../../../../src/controllers/runtime/resources.ts';
import {
  csiDrivers,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  resourceQuotas,
  storageClasses,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
} from '../../../../src/kube/builtin-resources.ts';
import { keyOf } from '../../../../src/kube/key.ts';
import { resourceName, type KubeObject, type Resource } from '../../../../src/kube/resource.ts';
import { volumeSnapshotClasses, volumeSnapshots } from '../../../../src/kube/snapshot-resources.ts';
import { Store } from '../../../../src/kube/store.ts';
import type { SimulatedApi } from './api.ts';

const CACHED: { readonly [Name in keyof Caches]: Resource<KubeObject> } = {
  claims: persistentVolumeClaims,
  volumes: persistentVolumes,
  pods,
  storageClasses,
  csiDrivers,
  snapshots: volumeSnapshots,
  snapshotClasses: volumeSnapshotClasses,
  dataVolumes,
  importSources: volumeImportSources,
  cloneSources: volumeCloneSources,
  cloneGrants,
  dataSources,
  storageProfiles,
  cdis,
  cdiConfigs,
  quotas: resourceQuotas,
  policies: validatingAdmissionPolicies,
  policyBindings: validatingAdmissionPolicyBindings,
};

/** The controllers' caches, which know of a write only once it has been delivered. */
export class LaggingCaches {
  readonly caches: Caches;
  readonly #undelivered: (() => void)[] = [];

  /** @param api is listed at once */
  constructor(api: SimulatedApi) {
    const stores = Object.entries(CACHED).map(([name, resource]) => [name, resource, new Store<KubeObject>()] as const);
    this.caches = Object.fromEntries(stores.map(([name, , store]) => [name, store])) as unknown as Caches;
    addIndexes(this.caches);
    const byResource = new Map(stores.map(([, resource, store]) => [resourceName(resource), store]));
    for (const [, resource, store] of stores)
      for (const object of api.list(resource)) store.set(pruned(resource, object));
    api.onWrite(({ resource, before, after }) => {
      const store = byResource.get(resourceName(resource));
      if (!store) return;
      if (after) this.#undelivered.push(() => store.set(pruned(resource, after)));
      else if (before) this.#undelivered.push(() => store.delete(keyOf(before)));
    });
  }

  deliver(): void {
    for (const change of this.#undelivered.splice(0)) change();
  }
}

function pruned({ kind }: Resource<KubeObject>, object: KubeObject): KubeObject {
  if (kind === 'Pod') return prunePod(object);
  return kind === 'PersistentVolume' ? pruneVolume(object) : object;
}
