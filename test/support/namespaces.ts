import { namespaces } from '../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { until } from './until.ts';

/** Makes a namespace that enforces the restricted Pod Security Standard, and resolves to its name. */
export async function createNamespace(
  client: KubeClient,
  name: { exact: string } | { prefix: string },
): Promise<string> {
  const created = await client.create(namespaces, {
    metadata: {
      ...('exact' in name ? { name: name.exact } : { generateName: `${name.prefix}-` }),
      labels: { 'pod-security.kubernetes.io/enforce': 'restricted', 'diskpress.test/temporary': 'true' },
    },
  });
  return created.metadata?.name ?? '';
}

/** Removes a namespace with all that is in it, and resolves when it is gone. */
export async function removeNamespace(client: KubeClient, name: string): Promise<void> {
  await client.delete(namespaces, { namespace: '', name });
  await untilRemoved(client, name);
}

/** Resolves when a namespace that was deleted is gone. */
export async function untilRemoved(client: KubeClient, name: string): Promise<void> {
  await until(client, namespaces, { namespace: '', name }, 'it is gone', (found) => found === undefined, 180_000);
}
