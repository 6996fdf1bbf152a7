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
 * Makes a controller reconcile what the objects of an informer concern, whenever one of them changes in more than its
 * version, which is all that is left of a change in what the cache drops.
 *
 * @param toKeys returns the keys that a change of this object concerns; by default its own. It is called for both the
 * old and the new state of an object, so that moving from one owner to another wakes both.
 * @param options ignores: returns whether what has changed from the previous state to the present one, of which neither
 * is to be modified, makes no difference to the reconciler
 */
export function enqueueFrom<T extends KubeObject>(
  informer: Informer<T>,
  toKeys: (object: T, previous?: T) => readonly ObjectKey[] = (object) => [keyOf(object)],
  { ignores = () => false }: { readonly ignores?: (object: T, previous: T) => boolean } = {},
): EventSource {
  return {
    informer,
    attach(enqueue) {
      informer.onChange(({ object, previous }) => {
        if (previous && (isSame(object, previous) || ignores(object, previous))) return;
        toKeys(object, previous).forEach(enqueue);
        if (previous) toKeys(previous).forEach(enqueue);
      });
      for (const object of informer.list()) toKeys(object).forEach(enqueue);
    },
  };
}

/**
 * Returns whether two states of an object differ in their versions only. What is equal in two states of a cached object
 * is one and the same in memory, so that references are all that has to be compared.
 */
function isSame(object: KubeObject, previous: KubeObject): boolean {
  return (
    isSameBut('metadata', object, previous) &&
    isSameBut('resourceVersion', object.metadata ?? {}, previous.metadata ?? {})
  );
}

/** Returns whether all fields but one are the same. It is asked by every controller of every change. */
function isSameBut(exception: string, one: object, other: object): boolean {
  const [fields, others] = [one, other] as [Record<string, unknown>, Record<string, unknown>];
  const names = Object.keys(fields);
  return (
    names.length === Object.keys(others).length &&
    names.every((name) => name === exception || (fields[name] === others[name] && Object.hasOwn(others, name)))
  );
}
