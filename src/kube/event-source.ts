import type { Informer } from './informer.ts';
import { keyOf, type Key } from './key.ts';
import type { KubeObject } from './resource.ts';

/** Where a controller learns which objects to look at. */
export interface EventSource {
  readonly informer: Pick<Informer<KubeObject>, 'hasSynced' | 'name' | 'resource'>;
  /** Enqueues the keys of what is there, and from then on of what changes. */
  attach(enqueue: (key: Key) => void): void;
}

/**
 * Has a controller look at what the objects of an informer concern, whenever one of them changes.
 *
 * @param toKeys which keys a change of this object concerns; by default its own. It is asked for the new and for the old
 *   state of an object, so that one that moves from an owner to another wakes both.
 */
export function enqueueFrom<T extends KubeObject>(
  informer: Informer<T>,
  toKeys: (object: T, previous?: T) => readonly Key[] = (object) => [keyOf(object)],
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
