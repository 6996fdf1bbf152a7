import { keyOf, keyToString, type Key } from './key.ts';
import type { KubeObject } from './resource.ts';

interface Index<T> {
  readonly values: (object: T) => readonly string[];
  readonly objects: Map<string, Set<T>>;
}

/** Objects by key, and by the values of any number of indexes, which follow every change. */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();

  get size(): number {
    return this.#objects.size;
  }

  get(key: Key): T | undefined {
    return this.#objects.get(keyToString(key));
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  /** @throws Error if there is no such index */
  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (!index) throw new Error(`there is no index ${name}`);
    return [...(index.objects.get(value) ?? [])];
  }

  /** @throws Error if an index of that name exists */
  addIndex(name: string, values: (object: T) => readonly string[]): void {
    if (this.#indexes.has(name)) throw new Error(`there is an index ${name} already`);
    const index: Index<T> = { values, objects: new Map() };
    for (const object of this.#objects.values()) insert(index, object);
    this.#indexes.set(name, index);
  }

  /** @returns the object that was there before */
  set(object: T): T | undefined {
    const key = keyToString(keyOf(object));
    const previous = this.#objects.get(key);
    for (const index of this.#indexes.values()) {
      if (previous) remove(index, previous);
      insert(index, object);
    }
    this.#objects.set(key, object);
    return previous;
  }

  /** @returns the object that was there */
  delete(key: Key): T | undefined {
    const text = keyToString(key);
    const previous = this.#objects.get(text);
    if (!previous) return undefined;
    for (const index of this.#indexes.values()) remove(index, previous);
    this.#objects.delete(text);
    return previous;
  }
}

function insert<T>(index: Index<T>, object: T): void {
  for (const value of index.values(object)) {
    const objects = index.objects.get(value);
    if (objects) objects.add(object);
    else index.objects.set(value, new Set([object]));
  }
}

function remove<T>(index: Index<T>, object: T): void {
  for (const value of index.values(object)) {
    const objects = index.objects.get(value);
    objects?.delete(object);
    if (objects?.size === 0) index.objects.delete(value);
  }
}
