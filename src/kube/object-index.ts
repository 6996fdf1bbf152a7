import type { KubeObject } from './resource.ts';

/** A way to look up objects other than by their key. */
export interface ObjectIndex<T extends KubeObject> {
  /** Returns the values by which an object is found. It must be pure and must not throw. */
  readonly valuesOf: (object: T) => readonly string[];
}

/**
 * Declares an index, in the module that uses it. A cache builds an index at its first lookup, and keeps it up to date
 * from then on, so an index has to be declared once, as a constant.
 */
export function defineIndex<T extends KubeObject>(valuesOf: (object: T) => readonly string[]): ObjectIndex<T> {
  return Object.freeze({ valuesOf });
}

/** Declares an index of objects by the value of one of their annotations. */
export function annotationIndex(name: string): ObjectIndex<KubeObject> {
  return defineIndex(({ metadata }) => {
    const value = metadata?.annotations?.[name];
    return value === undefined ? [] : [value];
  });
}
