import type { KubeObject } from './resource.ts';

/** What objects can be found by, other than their key. */
export interface ObjectIndex<T extends KubeObject> {
  /** The values by which an object is found. It must be pure and must not throw. */
  readonly valuesOf: (object: T) => readonly string[];
}

/**
 * Declares an index, in the module that looks into it. A cache makes an index when it is first looked into, and keeps it up to date from
 * then on: it is to be declared once, as a constant.
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
