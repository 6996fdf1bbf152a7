import { cachedResources, type Caches } from '../../../src/controllers/runtime/caches.ts';
import type { KubeObject } from '../../../src/kube/resource.ts';
import { Store } from '../../../src/kube/store.ts';

type Contents = { readonly [Name in keyof Caches]?: readonly ReturnType<Caches[Name]['list']>[number][] };

/** Caches as the watches would have filled them. */
export function cachesOf(contents: Contents): Caches {
  const stores = (Object.keys(cachedResources) as (keyof Caches)[]).map((name) => {
    const store = new Store<KubeObject>();
    for (const object of contents[name] ?? []) store.set(object);
    return [name, store] as const;
  });
  return Object.fromEntries(stores) as unknown as Caches;
}
