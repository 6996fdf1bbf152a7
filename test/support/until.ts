import type { KubeClient } from '../../src/kube/client.ts';
import { keyToString, type ObjectKey } from '../../src/kube/key.ts';
import { type KubeObject, type Resource, resourceName } from '../../src/kube/resource.ts';

type Truthy<T> = Exclude<T, undefined | null | false | '' | 0>;

/** An object did not come into the state that was waited for; the message tells the state that it is in. */
export class NotInTime extends Error {
  override readonly name = 'NotInTime';
}

/**
 * Watches an object until the condition returns something truthy, and resolves to that. The condition is asked for
 * each state of the object that the watch shows, with undefined while there is no such object.
 *
 * @throws {NotInTime} after the timeout, in milliseconds
 */
export async function until<T extends KubeObject, R>(
  client: KubeClient,
  resource: Resource<T>,
  key: ObjectKey,
  what: string,
  condition: (object: T | undefined) => R,
  timeout = 120_000,
): Promise<Truthy<R>> {
  const selection = { namespace: key.namespace || undefined, fieldSelector: `metadata.name=${key.name}` };
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), timeout);
  const { signal } = ending;
  let latest: T | undefined;
  try {
    for (;;) {
      let resourceVersion = '';
      for await (const page of client.pages(resource, { ...selection, signal })) {
        latest = page.items[0];
        resourceVersion = page.resourceVersion;
      }
      const answer = condition(latest);
      if (answer) return answer as Truthy<R>;
      const watch = { ...selection, resourceVersion, timeoutSeconds: 300, idleTimeout: 120_000, signal };
      for await (const event of client.watch(resource, watch)) {
        if (event.type === 'BOOKMARK') continue;
        latest = event.type === 'DELETED' ? undefined : event.object;
        const later = condition(latest);
        if (later) return later as Truthy<R>;
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new NotInTime(
      `${resourceName(resource)} ${keyToString(key)}: not within ${timeout / 1000} s: ${what}; it is ${describe(latest)}`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
    ending.abort();
  }
}

function describe(object: (KubeObject & { status?: unknown }) | undefined): string {
  if (object === undefined) return 'not there';
  const { deletionTimestamp, finalizers, annotations } = object.metadata ?? {};
  return JSON.stringify({ deletionTimestamp, finalizers, annotations, status: object.status });
}
