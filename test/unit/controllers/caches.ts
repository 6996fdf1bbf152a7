import { BY_CLAIM, claimsOf, type Caches } from '../../../src/controllers/runtime/caches.ts';
import type { KubeObject } from '../../../src/kube/resource.ts';
import { Store } from '../../../src/kube/store.ts';

type Contents = { readonly [Name in keyof Caches]?: readonly ReturnType<Caches[Name]['list']>[number][] };

/** Caches as the watches would have filled them. */
export function cachesOf(contents: Contents): Caches {
  const names: (keyof Caches)[] = [
    'claims',
    'volumes',
    'pods',
    'storageClasses',
    'csiDrivers',
    'snapshots',
    'snapshotClasses',
    'dataVolumes',
    'dataSources',
    'cloneSources',
    'cloneGrants',
    'quotas',
    'policies',
    'policyBindings',
    'storageProfiles',
  ];
  const stores = names.map((name) => {
    const store = new Store<KubeObject>();
    if (name === 'pods') store.addIndex(BY_CLAIM, claimsOf);
    for (const object of contents[name] ?? []) store.set(object);
    return [name, store] as const;
  });
  return Object.fromEntries(stores) as unknown as Caches;
}
