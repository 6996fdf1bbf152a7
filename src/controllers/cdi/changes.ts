import { isDeepStrictEqual } from 'node:util';

/** A value that was set in an object, and the one that the manifest has there; undefined where there is none. */
export interface Change {
  /** Names of fields from the root; an item of a list of named items is meant by its name. */
  readonly path: readonly string[];
  readonly manifest?: unknown;
  readonly set?: unknown;
}

/** Returns what has to be set in `before` to make `after` of it, as far down as fields and named items go. */
export function changesBetween(before: unknown, after: unknown, path: readonly string[] = []): Change[] {
  if (isDeepStrictEqual(before, after)) return [];
  const [fieldsBefore, fieldsAfter] = [fieldsOf(before), fieldsOf(after)];
  if (!fieldsBefore || !fieldsAfter || Array.isArray(before) !== Array.isArray(after))
    return [{ path, manifest: before, set: after }];
  const names = new Set([...fieldsBefore.keys(), ...fieldsAfter.keys()]);
  return [...names].flatMap((name) => changesBetween(fieldsBefore.get(name), fieldsAfter.get(name), [...path, name]));
}

/** Reports whether an object still has what was set. */
export function holds(object: unknown, { path, set }: Change): boolean {
  const found = path.reduce<unknown>((value, name) => fieldsOf(value)?.get(name), object);
  return isDeepStrictEqual(found, set);
}

/**
 * Returns the object without what was set: with what the manifest has there, or with what somebody else has written
 * since.
 */
export function withoutChanges<T>(object: T, changes: readonly Change[]): T {
  return changes.reduce<unknown>((result, change) => undone(result, change, change.path), object) as T;
}

function undone(value: unknown, change: Change, path: readonly string[]): unknown {
  const [name, ...below] = path;
  if (name === undefined) return givenBack(value, change.manifest, change.set);
  const fields = fieldsOf(value);
  // Somebody else has removed what it was set in.
  if (!fields) return value;
  return withField(value, name, undone(fields.get(name), change, below));
}

function givenBack(value: unknown, manifest: unknown, set: unknown): unknown {
  if (isDeepStrictEqual(value, set)) return manifest;
  const [fields, fieldsSet, fieldsBefore] = [fieldsOf(value), fieldsOf(set), fieldsOf(manifest)];
  if (!fields || !fieldsSet || Array.isArray(value) !== Array.isArray(set)) return value;
  return [...fieldsSet].reduce<unknown>(
    (result, [name, each]) => withField(result, name, givenBack(fields.get(name), fieldsBefore?.get(name), each)),
    value,
  );
}

/** Returns the fields of a map, or the items of a list by their names; undefined for values without. */
function fieldsOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!Array.isArray(value)) return new Map(Object.entries(value).filter(([, field]) => field !== undefined));
  const items = value.map((item: unknown) => [nameOf(item), item] as const);
  const names = new Set(items.map(([name]) => name));
  if (names.size !== value.length || value.length === 0 || names.has(undefined)) return undefined;
  return new Map(items as [string, unknown][]);
}

function nameOf(item: unknown): string | undefined {
  const name = typeof item === 'object' && item !== null && 'name' in item ? item.name : undefined;
  return typeof name === 'string' ? name : undefined;
}

/** Returns the map or list of named items with another value of that name; without it where that is undefined. */
function withField(container: unknown, name: string, value: unknown): unknown {
  if (Array.isArray(container)) {
    const isKnown = container.some((item) => nameOf(item) === name);
    if (!isKnown) return value === undefined ? container : [...(container as unknown[]), value];
    return container.flatMap((item: unknown) => (nameOf(item) !== name ? [item] : value === undefined ? [] : [value]));
  }
  const others = Object.entries(container as object).filter(([field]) => field !== name || value !== undefined);
  const replaced = others.map(([field, each]) => [field, field === name ? value : (each as unknown)] as const);
  const isNew = value !== undefined && !others.some(([field]) => field === name);
  return Object.fromEntries(isNew ? [...replaced, [name, value] as const] : replaced);
}
