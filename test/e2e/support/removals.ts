import { namespaces } from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { toError } from '../../../src/kube/errors.ts';
import { untilRemoved } from '../../support/namespaces.ts';

/** More than the patience with each namespace, which tells what it still holds. */
const HOOK_MILLISECONDS = 240_000;

/** By name. */
const going = new Map<string, { readonly client: KubeClient; readonly suite: string }>();

/**
 * Deletes a namespace with all that is in it, which goes while the next suites run: Kubernetes looks at it for the
 * first time after five seconds, and after eight more where it holds a claim then, longer than most tests take.
 *
 * @param suite title of the one that it was made for
 */
export async function beginRemoval(client: KubeClient, name: string, suite: string): Promise<void> {
  await client.delete(namespaces, { namespace: '', name });
  going.set(name, { client, suite });
}

/**
 * Resolves when every namespace is gone whose removal was begun.
 *
 * @throws Error where one stays, because something in it cannot be deleted
 */
export async function untilAllRemoved(): Promise<void> {
  const removals = [...going].map(async ([name, { client, suite }]) => {
    try {
      await untilRemoved(client, name);
    } catch (error) {
      throw new Error(`a namespace of the suite "${suite}" stays: ${toError(error).message}`, { cause: error });
    }
    going.delete(name);
  });
  await Promise.all(removals);
}

// Of the whole run, because no suite surrounds it.
after('the namespaces of all suites are gone', async function () {
  this.timeout(HOOK_MILLISECONDS);
  await untilAllRemoved();
});
