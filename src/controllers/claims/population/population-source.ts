import type { KubeClient } from '../../../kube/client.ts';
import { WaitingError } from '../../../kube/errors.ts';
import type { Informer } from '../../../kube/informer.ts';
import type { ObjectKey } from '../../../kube/key.ts';
import type { KubeObject, Resource } from '../../../kube/resource.ts';

/**
 * Returns the object that describes what a claim is populated from. Claim and object are watched apart, so the API
 * server is asked about one that the cache does not have.
 *
 * @param work what waits for the object, such as "clone"
 * @throws WaitingError NotFound where it does not exist
 */
export async function populationSource<T extends KubeObject>(
  client: KubeClient,
  {
    resource,
    cache,
    key,
    work,
  }: { resource: Resource<T>; cache: Pick<Informer<T>, 'get'>; key: ObjectKey; work: string },
): Promise<T> {
  const found = cache.get(key) ?? (await client.get(resource, key));
  if (found) return found;
  const { namespace, name } = key;
  throw new WaitingError(
    'NotFound',
    `${resource.kind} "${name}" does not exist in namespace "${namespace}"; create it, and the ${work} starts`,
  );
}
