import type { KubeObject } from './resource.ts';

const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Drops the bookkeeping of the API server and kubectl from an object, which is often larger than everything else.
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

/** Returns a new object, because one from which a field was deleted takes several times the memory. */
function without<T extends object>(object: T, name: keyof T): T {
  return Object.fromEntries(Object.entries(object).filter(([field]) => field !== name)) as T;
}
