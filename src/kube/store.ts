import { keyOf, keyToString, type ObjectKey } from './key.ts';
import type { ObjectIndex } from './object-index.ts';
import type { KubeObject } from './resource.ts';

/** Objects by the value that an index has for them. A set takes much more memory than the one object that most have. */
type Entries<T> = Map<string, T | Set<T>>;

/** Objects by key, and by the values of any number of indexes, which follow every change. */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<ObjectIndex<T>, Entries<T>>();

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(keyToString(key));
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  /** Returns the objects that the index has for this value. The first lookup in an index visits all objects. */
  byIndex(index: ObjectIndex<T>, value: string): T[] {
    const entries = this.#indexes.get(index) ?? this.#addIndex(index);
    const found = entries.get(value);
    if (found === undefined) return [];
    return found instanceof Set ? [...found] : [found];
  }

  /** @returns the previous object of that key */
  set(object: T): T | undefined {
    const key = keyToString(keyOf(object));
    const previous = this.#objects.get(key);
    for (const [index, entries] of this.#indexes) {
      if (previous) remove(entries, index.valuesOf(previous), previous);
      insert(entries, index.valuesOf(object), object);
    }
    this.#objects.set(key, object);
    return previous;
  }

  /** @returns the deleted object */
  delete(key: ObjectKey): T | undefined {
    const text = keyToString(key);
    const previous = this.#objects.get(text);
    if (!previous) return undefined;
    for (const [index, entries] of this.#indexes) remove(entries, index.valuesOf(previous), previous);
    this.#objects.delete(text);
    return previous;
  }

  #addIndex(index: ObjectIndex<T>): Entries<T> {
    const entries: Entries<T> = new Map();
    for (const object of this.#objects.values()) insert(entries, index.valuesOf(object), object);
    this.#indexes.set(index, entries);
    return entries;
  }
}

function insert<T>(entries: Entries<T>, values: readonly string[], object: T): void {
  for (const value of values) {
    const found = entries.get(value);
    if (found instanceof Set) found.add(object);
    else entries.set(value, found === undefined || found === object ? object : new Set([found, object]));
  }
}

function remove<T>(entries: Entries<T>, values: readonly string[], object: T): void {
  for (const value of values) {
    const found = entries.get(value);
    if (found === object) entries.delete(value);
    else if (found instanceof Set && found.delete(object) && found.size === 0) entries.delete(value);
  }
}
