import type { KubeObject, OwnerReference } from './resource.ts';

/**
 * Reports whether applying `desired` would change `actual`, that is, whether any field named by `desired` differs.
 * Fields that only `actual` has belong to other managers or are defaults. `undefined` states nothing; `null` states
 * that the field must be absent. An empty object or list equals none. Lists are compared item by item, but
 * `metadata.finalizers` and `metadata.ownerReferences` only need to include the desired items, because the API merges
 * them. Quantities are compared as text.
 *
 * It cannot detect a field that an earlier apply set and that is no longer named. Name such a field with `null`.
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

/** Reports whether a value is absent, or an empty object or list. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/**
 * Returns a reference from a dependent to this owner.
 *
 * @param options controller: whether this owner manages the dependent; it then also blocks foreground deletion of the
 * owner
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

/** Returns the owner that manages the object, if there is one. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((reference) => reference.controller === true);
}
