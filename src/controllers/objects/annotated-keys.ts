import { keyFromString, type ObjectKey } from '../../kube/key.ts';
import type { KubeObject } from '../../kube/resource.ts';

/** Returns the key of the object that an annotation names as `namespace/name`, if it has that annotation. */
export function annotatedKeys({ metadata }: KubeObject, name: string): ObjectKey[] {
  const value = metadata?.annotations?.[name];
  return value ? [keyFromString(value)] : [];
}
