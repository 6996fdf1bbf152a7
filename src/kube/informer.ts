import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../server/metrics.ts';
import { dropBookkeeping } from './bookkeeping.ts';
import type { KubeClient, Selection } from './client.ts';
import { errorFields, toError } from './errors.ts';
import { Interner } from './interner.ts';
import { keyFromString, keyOf, keyToString, type ObjectKey } from './key.ts';
import type { ObjectIndex } from './object-index.ts';
import { Reflector, type ReflectorOptions, type Sink } from './reflector.ts';
import { type KubeObject, type Resource, resourceName, versionNumber } from './resource.ts';
import { Store } from './store.ts';
import type { WatchEvent } from './watch-stream.ts';

export interface Change<T> {
  readonly type: 'added' | 'modified' | 'deleted';
  /** Current state, or the last known state if the object was deleted. */
  readonly object: T;
  /** Previous state; only set for `modified`. */
  readonly previous?: T;
}

/** An own write that the cache has and nobody was told of. */
interface OwnWrite<T> {
  readonly version: number;
  /** What listeners know of the object. */
  readonly previous: T | undefined;
}

export interface InformerOptions<T extends KubeObject> extends Selection {
  /**
   * Drops from a received object what no controller reads. It may modify the object and return it, and must leave
   * metadata's name, namespace, uid and resourceVersion alone. What {@link dropBookkeeping} drops is already gone.
   */
  readonly prune?: (object: T) => T;
  /**
   * Whether a resource that the server does not serve, because its CRD is not installed (yet), counts as one without
   * objects.
   */
  readonly mayBeAbsent?: boolean;
  /** Seconds after which the server should end a watch; the actual time is between this and twice this. */
  readonly watchSeconds?: number;
  /** Milliseconds of silence after which a watch is restarted; by default a little longer than a watch lasts. */
  readonly idleTimeout?: number;
  /** Delays in milliseconds before listing or watching again after a failure. */
  readonly backoff?: ReflectorOptions['backoff'];
}

/**
 * A cache of a resource's objects that a list fills and a watch keeps up to date.
 *
 * Returned objects are shared with all other readers, and frozen: copy an object before modifying it. The cache can lag
 * behind the server, but unless it is of a selection of objects, it has this process's own writes as soon as they are
 * answered.
 */
export class Informer<T extends KubeObject> {
  readonly resource: Resource<T>;
  /** The resource and the selectors, which name this informer in logs, metrics and the readiness check. */
  readonly name: string;
  /** Whether the cache takes own writes: of a selection, it could not tell which belong to it. */
  readonly takesWrites: boolean;
  readonly #prune: (object: T) => T;
  readonly #idleTimeout: number;
  readonly #store = new Store<T>();
  /** The latest own writes that the watch has not brought yet, by the objects' keys. */
  readonly #ahead = new Map<string, OwnWrite<T>>();
  /** The keys of objects by all these versions, which a later write may have followed. */
  readonly #awaited = new Map<string, string>();
  readonly #interner = new Interner();
  readonly #listeners: ((change: Change<T>) => void)[] = [];
  readonly #reflector: Reflector<T>;
  readonly #logger: Logger;
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;
  #running: Promise<void> | undefined;

  constructor(
    client: KubeClient,
    resource: Resource<T>,
    options: InformerOptions<T> & { logger: Logger; metrics: Metrics },
  ) {
    const { namespace, labelSelector, fieldSelector, mayBeAbsent = false, prune = (object) => object } = options;
    const { watchSeconds = 60, backoff = { base: 100, max: 10_000, jitter: 0.5 } } = options;
    const { idleTimeout = 2000 * watchSeconds + 10_000 } = options;
    this.resource = resource;
    this.name = [resourceName(resource), namespace, labelSelector, fieldSelector].filter(Boolean).join(' ');
    this.takesWrites = ![namespace, labelSelector, fieldSelector].some(Boolean);
    this.#prune = prune;
    this.#idleTimeout = idleTimeout;
    this.#logger = options.logger.child({ informer: this.name });
    options.metrics.onCollect(() => options.metrics.informerObjects.set({ informer: this.name }, this.size));
    const sink: Sink<T> = {
      admit: (object) => this.#admit(object),
      replace: (objects, version) => this.#replace(objects, version),
      change: (event) => this.#change(event),
      isKnown: (resourceVersion) => this.#isKnown(resourceVersion),
    };
    this.#reflector = new Reflector(client, resource, sink, {
      namespace,
      labelSelector,
      fieldSelector,
      mayBeAbsent,
      watchSeconds,
      idleTimeout,
      backoff,
      logger: this.#logger,
      metrics: options.metrics,
      label: this.name,
    });
  }

  get(key: ObjectKey): T | undefined {
    return this.#store.get(key);
  }

  list(): T[] {
    return this.#store.list();
  }

  get size(): number {
    return this.#store.size;
  }

  /** Returns the objects that the index has for this value. The first lookup in an index visits all objects. */
  byIndex(index: ObjectIndex<T>, value: string): T[] {
    return this.#store.byIndex(index, value);
  }

  /**
   * Calls the listener for every change from now on; after a lost connection, also for changes that are not new. It
   * must not block; what it throws is logged.
   */
  onChange(listener: (change: Change<T>) => void): void {
    this.#listeners.push(listener);
  }

  /** Whether the first list is complete; it never becomes false again. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Resolves when {@link hasSynced} is true. */
  async waitForSync(signal?: AbortSignal): Promise<void> {
    if (!signal) return this.#synced.promise;
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<void>();
    const onAbort = () => aborted.reject(toError(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([this.#synced.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Reason why this cache should not be relied on, if any: it is incomplete, or the server has been silent for too
   * long.
   */
  get problem(): string | undefined {
    if (!this.#hasSynced) return 'the first list is not complete';
    const { silence } = this.#reflector;
    return silence > 2 * this.#idleTimeout ? `silent for ${Math.round(silence / 1000)} s` : undefined;
  }

  /** Lists and watches until the signal is aborted, and then resolves. Starting it again has no effect. */
  async start(signal: AbortSignal): Promise<void> {
    this.#running ??= this.#reflector.run(signal);
    return this.#running;
  }

  /**
   * Takes an object as one of this process's own writes left it, so that no reader acts on what was before only because
   * the answer came sooner than the watch. It may modify the object. Listeners are told only when the watch brings it:
   * they would be woken by each of the writes of one reconciliation, which the watch brings together.
   */
  written(object: T): void {
    const version = versionOf(object);
    // The watch may have brought the end of such an object, too; it will bring that of a later one.
    if (!this.takesWrites || version <= this.#reflector.latest) return;
    const known = this.#store.get(keyOf(object));
    if (known && version <= versionOf(known)) return;
    const key = keyToString(keyOf(object));
    if (known && known.metadata?.uid !== object.metadata?.uid) {
      this.#tell(key);
      this.#remove(known);
    }
    const untold = this.#ahead.get(key);
    const admitted = this.#admit(object);
    const previous = this.#store.set(admitted);
    this.#ahead.set(key, { version, previous: untold ? untold.previous : previous });
    this.#awaited.set(String(version), key);
  }

  #admit(object: T): T {
    const known = this.#store.get(keyOf(object));
    // After a list, most objects are unchanged: the old ones are kept, so that the new ones can be garbage collected.
    if (known && known.metadata?.resourceVersion === object.metadata?.resourceVersion) return known;
    return this.#interner.intern(this.#prune(dropBookkeeping(object)), known);
  }

  #replace(objects: T[], listed: number): void {
    for (const [key, { version }] of [...this.#ahead]) if (version <= listed) this.#tell(key);
    for (const version of [...this.#awaited.keys()]) if (Number(version) <= listed) this.#awaited.delete(version);
    // What was written while the list was on its way is later than it; the watch from there brings it.
    const isLater = (object: T) => this.#ahead.has(keyToString(keyOf(object)));
    const present = new Set(objects.map((object) => keyToString(keyOf(object))));
    for (const object of this.#store.list()) {
      if (!present.has(keyToString(keyOf(object))) && !isLater(object)) this.#remove(object);
    }
    for (const object of objects) if (!isLater(object)) this.#set(object);
    if (!this.#hasSynced) {
      this.#hasSynced = true;
      this.#logger.info('synced', { step: 'list', objects: this.size });
      this.#synced.resolve();
    }
  }

  #change({ type, object }: WatchEvent<T>): void {
    this.#awaited.delete(object.metadata?.resourceVersion ?? '');
    if (this.#isBehind(object)) return;
    if (type === 'DELETED') this.#remove(this.#admit(object));
    else this.#set(this.#admit(object));
  }

  /** Returns whether the watch brings an own write. */
  #isKnown(resourceVersion: string): boolean {
    const key = this.#awaited.get(resourceVersion);
    if (key === undefined) return false;
    this.#awaited.delete(resourceVersion);
    if (this.#ahead.get(key)?.version === Number(resourceVersion)) this.#tell(key);
    return true;
  }

  /** Returns whether the cache has an own write that is later than what the watch brings. */
  #isBehind(object: T): boolean {
    if (this.#ahead.size === 0) return false;
    const key = keyToString(keyOf(object));
    const ahead = this.#ahead.get(key);
    if (ahead === undefined) return false;
    if (versionOf(object) < ahead.version) return true;
    this.#tell(key);
    return false;
  }

  /** Tells of an own write, if there is one that has not been told of. */
  #tell(key: string): void {
    const ahead = this.#ahead.get(key);
    const object = this.#store.get(keyFromString(key));
    this.#ahead.delete(key);
    if (ahead === undefined || object === undefined) return;
    const { previous } = ahead;
    this.#notify(previous ? { type: 'modified', object, previous } : { type: 'added', object });
  }

  #set(object: T): void {
    const previous = this.#store.get(keyOf(object));
    if (previous === object) return;
    // The object was deleted and recreated under the same name while nobody watched: these are two objects and two
    // changes.
    if (previous && previous.metadata?.uid !== object.metadata?.uid) this.#remove(previous);
    const replaced = this.#store.set(object);
    this.#notify(replaced ? { type: 'modified', object, previous: replaced } : { type: 'added', object });
  }

  #remove(object: T): void {
    if (this.#store.delete(keyOf(object))) this.#notify({ type: 'deleted', object });
  }

  #notify(change: Change<T>): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        const object = keyToString(keyOf(change.object));
        this.#logger.error('a listener failed', { step: 'notify', object, ...errorFields(error) });
      }
    }
  }
}

function versionOf({ metadata }: KubeObject): number {
  return versionNumber(metadata?.resourceVersion);
}
