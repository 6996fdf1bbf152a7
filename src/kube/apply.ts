import type { OwnerReference, KubeObject } from './resource.ts';

/**
 * Whether an apply of `desired` would change `actual`: whether any field that it names is different there. Fields that only
 * `actual` has are other managers', or defaults. `undefined` says nothing; `null` says that the field must not be there. An empty object
 * or list is the same as none. Lists are compared item by item, but `metadata.finalizers` and `metadata.ownerReferences` only need
 * to include the desired ones, as the API merges them. Quantities are compared as text.
 *
 * What it cannot see: a field that an earlier apply set and this one no longer names. Name it with `null`.
 */
export function differs(desired: unknown, actual: unknown, path: readonly string[] = []): boolean {
  if (desired === undefined) return false;
  if (isEmpty(desired)) return !isEmpty(actual);
  if (Array.isArray(desired)) return listDiffers(desired, actual, path);
  if (typeof desired !== 'object') return desired !== actual;
  if (typeof actual !== 'object' && !isEmpty(actual)) return true;
  const fields = (actual ?? {}) as Record<string, unknown>;
  return Object.entries(desired as object).some(([name, value]) => differs(value, fields[name], [...path, name]));
}

function listDiffers(desired: unknown[], actual: unknown, path: readonly string[]): boolean {
  if (!Array.isArray(actual)) return true;
  if (path.join('.') === 'metadata.finalizers' || path.join('.') === 'metadata.ownerReferences') {
    return desired.some((item) => !actual.some((other) => !differs(item, other)));
  }
  return desired.length !== actual.length || desired.some((item, index) => differs(item, actual[index]));
}

/** No value, or an object or list of none. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/**
 * A reference from a dependent to this owner.
 *
 * @param options controller: the one owner that manages the dependent; it also blocks the owner's deletion in the foreground
 * @throws TypeError if the owner was not read from the API
 */
export function ownerReference(owner: KubeObject, options: { controller?: boolean } = {}): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  if (!apiVersion || !kind || !metadata?.name || !metadata.uid) {
    throw new TypeError('an owner needs apiVersion, kind, metadata.name and metadata.uid');
  }
  const reference = { apiVersion, kind, name: metadata.name, uid: metadata.uid };
  return options.controller ? { ...reference, controller: true, blockOwnerDeletion: true } : reference;
}

/** The owner that manages the object, if it has one. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((reference) => reference.controller === true);
}
