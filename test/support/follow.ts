import { setTimeout } from 'node:timers/promises';
import type { KubeClient } from '../../src/kube/client.ts';
import { isGone } from '../../src/kube/errors.ts';
import type { KubeObject, Resource } from '../../src/kube/resource.ts';

/**
 * Tells of all objects of a kind that are there, and from then on of all that happens to them. Watches break, and the
 * server ends them: the next goes on from there.
 *
 * @returns once nothing escapes it. `ended` resolves after the signal, and rejects where something may have escaped
 */
export async function follow<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  signal: AbortSignal,
  tell: (object: T, deleted: boolean) => void,
): Promise<{ ended: Promise<void> }> {
  let resourceVersion = '';
  for await (const page of client.pages(resource)) {
    page.items.forEach((object) => tell(object, false));
    resourceVersion = page.resourceVersion;
  }
  const ended = watch();
  // Told to whoever waits for it.
  ended.catch(() => undefined);
  return { ended };

  async function watch(): Promise<void> {
    while (!signal.aborted) {
      try {
        const options = { resourceVersion, timeoutSeconds: 3600, idleTimeout: 120_000, signal };
        for await (const { type, object } of client.watch(resource, options)) {
          if (type !== 'BOOKMARK') tell(object, type === 'DELETED');
          resourceVersion = object.metadata?.resourceVersion ?? resourceVersion;
        }
      } catch (error) {
        if (isGone(error)) throw error;
        await setTimeout(100);
      }
    }
  }
}
