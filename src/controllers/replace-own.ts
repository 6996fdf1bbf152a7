import type { KubeClient } from '../kube/client.ts';
import { isAlreadyExists, isForbidden, isInvalid, toError, WaitingError } from '../kube/errors.ts';
import { keyOf, keyToString } from '../kube/key.ts';
import type { KubeObject, Resource } from '../kube/resource.ts';
import { refusedByAdmission, refusedByQuota } from './create-if-absent.ts';

const NAME_TAKEN_MILLISECONDS = 1_000;

/**
 * Makes an object of the controllers' own, in place of the one that an earlier attempt left. For resources that they may create and
 * delete, but not read: an admission policy lets them delete only what has the annotation `work.targetUID`, so that the object must
 * have it, and a foreign one of the same name stays.
 *
 * @returns the object as it was made
 * @throws WaitingError ErrResourceExists where the name is taken by an object that may not be deleted, or that has not gone yet;
 *   ErrExceededQuota where the namespace's quota has no room for it
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
    // A policy refuses with the one or the other, as its reason is Forbidden or the usual Invalid.
    if (isForbidden(error) || isInvalid(error)) throw nameTaken(resource, object, error);
    throw error;
  }
  const second = await createUnlessTaken(client, resource, object);
  if (second) return second;
  throw nameTaken(resource, object);
}

/** Undefined where an object of the name exists. */
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

function nameTaken(resource: Resource<KubeObject>, object: KubeObject, cause?: unknown): WaitingError {
  const detail = cause === undefined ? '' : ` (${toError(cause).message})`;
  return new WaitingError(
    'ErrResourceExists',
    `${resource.kind} "${keyToString(keyOf(object))}" exists already and cannot be replaced${detail}; ` +
      'delete it, and the work goes on',
    { after: NAME_TAKEN_MILLISECONDS, cause },
  );
}
