import type { KubeClient } from '../../kube/client.ts';
import { isAlreadyExists, toError } from '../../kube/errors.ts';
import { keyOf } from '../../kube/key.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import { refusedByAdmission, refusedByQuota } from './create-if-absent.ts';
import { isRefusedByPolicy } from './delete-own.ts';
import { nameTaken } from './made-for.ts';

/**
 * Creates an object of the controllers, in place of the one that an earlier attempt left. It is meant for resources
 * that they may create and delete, but not read: an admission policy lets them delete only objects with the annotation
 * `work.targetUID`, so the object must have it, and a foreign one of the same name is protected.
 *
 * @returns the created object
 * @throws WaitingError ErrResourceExists where the name is taken by an object that may not be deleted, or that is not
 * gone yet; ErrExceededQuota where the namespace's quota has no room for it
 */
export async function replaceOwn<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  object: T,
): Promise<T> {
  const first = await createUnlessTaken(client, resource, object);
  if (first) return first;
  try {
    await client.delete(resource, keyOf(object));
  } catch (error) {
    if (isRefusedByPolicy(error))
      throw nameTaken(resource.kind, object, `it cannot be replaced (${toError(error).message})`, { cause: error });
    throw error;
  }
  const second = await createUnlessTaken(client, resource, object);
  if (second) return second;
  throw nameTaken(resource.kind, object, 'it has not gone yet');
}

/**
 * Creates an object.
 *
 * @returns the created object, or undefined where an object of that name exists
 */
async function createUnlessTaken<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  object: T,
): Promise<T | undefined> {
  try {
    return await client.create(resource, object);
  } catch (error) {
    if (isAlreadyExists(error)) return undefined;
    throw refusedByQuota(error) ?? refusedByAdmission(resource, object, error) ?? error;
  }
}
