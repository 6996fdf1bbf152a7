import { cachedResources, type Caches } from '../../../../src/controllers/runtime/caches.ts';
import { keyOf } from '../../../../src/kube/key.ts';
import { type KubeObject, type Resource, resourceName } from '../../../../src/kube/resource.ts';
import { Store } from '../../../../src/kube/store.ts';
import type { SimulatedApi } from './api.ts';

/** A cache whose changes wake nobody: the world asks all controllers to look at everything. */
export class SilentCache extends Store<KubeObject> {
  onChange(): void {
    // Nobody is told.
  }
}

interface Filled {
  readonly name: string;
  readonly resource: Resource<KubeObject>;
  readonly prune: (object: KubeObject) => KubeObject;
  readonly cache: SilentCache;
}

/** The controllers' caches, which know of a write only once it has been delivered. */
export class LaggingCaches {
  readonly caches: Caches;
  /** Whether they know of what the controllers wrote at once, as they do but for the moment after a new list. */
  knowOwnWrites = false;
  readonly #undelivered: (() => void)[] = [];

  /** @param api is listed at once */
  constructor(api: SimulatedApi) {
    const filled: Filled[] = Object.entries(cachedResources).map(([name, { resource, options }]) => ({
      name,
      resource,
      prune: (options?.prune ?? ((object: KubeObject) => object)) as Filled['prune'],
      cache: new SilentCache(),
    }));
    this.caches = Object.fromEntries(filled.map(({ name, cache }) => [name, cache])) as unknown as Caches;
    const byResource = new Map(filled.map((each) => [resourceName(each.resource), each]));
    for (const { resource, prune, cache } of filled) for (const object of api.list(resource)) cache.set(prune(object));
    api.onWrite(({ user, resource, before, after }) => {
      const found = byResource.get(resourceName(resource));
      if (!found) return;
      if (after && user === 'controllers' && this.knowOwnWrites) found.cache.set(found.prune(after));
      if (after) this.#undelivered.push(() => found.cache.set(found.prune(after)));
      else if (before) this.#undelivered.push(() => found.cache.delete(keyOf(before)));
    });
  }

  deliver(): void {
    for (const change of this.#undelivered.splice(0)) change();
  }
}
