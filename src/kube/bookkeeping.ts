import type { KubeObject } from './resource.ts';

const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Drops what the API server and kubectl keep in an object for themselves, which often is larger than all the rest.
 *
 * @returns the object itself
 */
export function dropBookkeeping<T extends KubeObject>(object: T): T {
  if (!object.metadata) return object;
  const { annotations } = object.metadata;
  if (annotations?.[LAST_APPLIED_ANNOTATION] !== undefined)
    object.metadata.annotations = without(annotations, LAST_APPLIED_ANNOTATION);
  object.metadata = without(object.metadata, 'managedFields');
  return object;
}

/** A new object: one that a field was deleted from takes several times the memory. */
function without<T extends object>(object: T, name: keyof T): T {
  return Object.fromEntries(Object.entries(object).filter(([field]) => field !== name)) as T;
}
