import type { KubeClient } from './client.ts';
import { isNotFound } from './errors.ts';
import { keyOf } from './key.ts';
import type { Configuration } from './on-wire.ts';
import type { KubeObject, Resource } from './resource.ts';

export function hasFinalizer(object: KubeObject, finalizer: string): boolean {
  return object.metadata?.finalizers?.includes(finalizer) ?? false;
}

export function isBeingDeleted(object: KubeObject): boolean {
  return object.metadata?.deletionTimestamp !== undefined;
}

/**
 * Adds a finalizer, unless the object has it.
 *
 * @returns the object in its resulting state
 * @throws {ApiError} a conflict, if the object changed since it was read
 */
export async function addFinalizer<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  object: T,
  finalizer: string,
): Promise<T> {
  if (hasFinalizer(object, finalizer)) return object;
  return setFinalizers(client, resource, object, [...(object.metadata?.finalizers ?? []), finalizer]);
}

/**
 * Removes a finalizer, if the object has it. An object that is gone by then is success.
 *
 * @param annotations written in the same request
 * @returns the object in its resulting state, or as it was
 * @throws {ApiError} a conflict, if the object changed since it was read
 */
export async function removeFinalizer<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  object: T,
  finalizer: string,
  annotations: Readonly<Record<string, string>> = {},
): Promise<T> {
  if (!hasFinalizer(object, finalizer)) return object;
  const others = object.metadata?.finalizers?.filter((other) => other !== finalizer) ?? [];
  try {
    return await setFinalizers(client, resource, object, others, annotations);
  } catch (error) {
    if (isNotFound(error)) return object;
    throw error;
  }
}

async function setFinalizers<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  object: T,
  finalizers: string[],
  annotations: Readonly<Record<string, string>> = {},
): Promise<T> {
  const { resourceVersion, uid } = object.metadata ?? {};
  const patch = { metadata: { resourceVersion, uid, finalizers, annotations } } as unknown as Configuration<T>;
  return client.mergePatch(resource, keyOf(object), patch);
}
