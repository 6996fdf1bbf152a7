import type { KubeObject } from './resource.ts';

/** Identifies an object among those of its resource. The namespace of cluster-scoped objects is empty. */
export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}

/** @throws TypeError if the object has no name (yet) */
export function keyOf(object: KubeObject): ObjectKey {
  const { namespace = '', name } = object.metadata ?? {};
  if (!name) throw new TypeError(`a ${object.kind ?? 'object'} without metadata.name has no key`);
  return { namespace, name };
}

/** Returns the key of an object if it is concerned, and none otherwise. */
export function keyIf(object: KubeObject, concerned: boolean): ObjectKey[] {
  return concerned ? [keyOf(object)] : [];
}

/** Formats a key as `namespace/name`, or `name` for cluster-scoped objects. Neither part can contain a slash. */
export function keyToString(key: ObjectKey): string {
  return key.namespace === '' ? key.name : `${key.namespace}/${key.name}`;
}

/** Parses the output of {@link keyToString}. */
export function keyFromString(text: string): ObjectKey {
  const slash = text.indexOf('/');
  return slash < 0 ? { namespace: '', name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}
