import type { Informer } from './informer.ts';
import { keyOf, type ObjectKey } from './key.ts';
import type { KubeObject } from './resource.ts';

/** Source of the objects that a controller has to reconcile. */
export interface EventSource {
  readonly informer: Pick<Informer<KubeObject>, 'hasSynced' | 'name' | 'resource'>;
  /** Enqueues the keys of the existing objects, and from then on of those that change. */
  attach(enqueue: (key: ObjectKey) => void): void;
}

/**
 * Makes a controller reconcile what the objects of an informer concern, whenever one of them changes.
 *
 * @param toKeys returns the keys that a change of this object concerns; by default its own. It is called for both the
 * old and the new state of an object, so that moving from one owner to another wakes both.
 */
export function enqueueFrom<T extends KubeObject>(
  informer: Informer<T>,
  toKeys: (object: T, previous?: T) => readonly ObjectKey[] = (object) => [keyOf(object)],
): EventSource {
  return {
    informer,
    attach(enqueue) {
      informer.onChange(({ object, previous }) => {
        toKeys(object, previous).forEach(enqueue);
        if (previous) toKeys(previous).forEach(enqueue);
      });
      for (const object of informer.list()) toKeys(object).forEach(enqueue);
    },
  };
}
