import { namespaces } from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { untilRemoved } from '../../support/namespaces.ts';

/** More than the patience with each namespace, which tells what it still holds. */
const HOOK_MILLISECONDS = 240_000;

/** By name, the clients of their clusters. */
const going = new Map<string, KubeClient>();

/**
 * Deletes a namespace with all that is in it, which goes while the next suites run: Kubernetes looks at it for the
 * first time after five seconds, and after eight more where it holds a claim then, longer than most tests take.
 */
export async function beginRemoval(client: KubeClient, name: string): Promise<void> {
  await client.delete(namespaces, { namespace: '', name });
  going.set(name, client);
}

/**
 * Resolves when every namespace is gone whose removal was begun.
 *
 * @throws {NotInTime} where one stays, because something in it cannot be deleted
 */
export async function untilAllRemoved(): Promise<void> {
  const removals = [...going].map(async ([name, client]) => {
    await untilRemoved(client, name);
    going.delete(name);
  });
  await Promise.all(removals);
}

// Of the whole run, because no suite surrounds it.
after('the namespaces of all suites are gone', async function () {
  this.timeout(HOOK_MILLISECONDS);
  await untilAllRemoved();
});
