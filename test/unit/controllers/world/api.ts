import { isDeepStrictEqual } from 'node:util';
import { ApiError } from '../../../../src/kube/errors.ts';
import { keyOf, keyToString, type ObjectKey } from '../../../../src/kube/key.ts';
import { apiVersionOf, type KubeObject, type Resource, resourceName } from '../../../../src/kube/resource.ts';

/**
 * Who writes: the tenant has all rights in one namespace and none elsewhere, the author may clone from others besides.
 */
export type User = 'controllers' | 'tenant' | 'author' | 'cluster';

/** A write, as admission sees it and as it is told to those who watch. */
export interface Write {
  readonly user: User;
  readonly resource: Resource<KubeObject>;
  /** Undefined where the object is created. */
  readonly before: KubeObject | undefined;
  /** Undefined where the object is gone, or is asked to go. */
  readonly after: KubeObject | undefined;
}

export interface Preconditions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/**
 * The objects of a cluster, with what the API server itself gives them: uids, versions, times, and their end by
 * finalizers.
 */
export class SimulatedApi {
  readonly #objects = new Map<string, Map<string, KubeObject>>();
  readonly #made = new Map<string, number>();
  readonly #listeners: ((write: Write) => void)[] = [];
  readonly #admit: (write: Write) => void;
  readonly #now: () => number;
  #version = 0;

  /** @param admit throws where a request is refused */
  constructor(admit: (write: Write) => void, now: () => number) {
    this.#admit = admit;
    this.#now = now;
  }

  /** Called after each write that changed something. */
  onWrite(listener: (write: Write) => void): void {
    this.#listeners.push(listener);
  }

  find<T extends KubeObject>(resource: Resource<T>, key: ObjectKey): T | undefined {
    return this.#of(resource).get(keyToString(key)) as T | undefined;
  }

  list<T extends KubeObject>(resource: Resource<T>): T[] {
    return [...this.#of(resource).values()] as T[];
  }

  create<T extends KubeObject>(user: User, resource: Resource<T>, object: T): T {
    const { name = '', namespace = '' } = object.metadata ?? {};
    if (this.find(resource, { name, namespace })) throw refusal(409, 'AlreadyExists', `${name} exists already`);
    const id = [resource.kind.toLowerCase(), ...(namespace ? [namespace] : []), name].join('.');
    const count = (this.#made.get(id) ?? 0) + 1;
    const after: T = {
      ...structuredClone(object),
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata: {
        ...structuredClone(object.metadata),
        uid: `${id}.${count}`,
        creationTimestamp: new Date(this.#now()).toISOString(),
      },
    };
    this.#write({ user, resource, before: undefined, after });
    this.#made.set(id, count);
    return this.find(resource, keyOf(after)) ?? after;
  }

  /** @throws ApiError where there is no such object, it is another than meant, or admission refuses the change */
  change<T extends KubeObject>(
    user: User,
    resource: Resource<T>,
    key: ObjectKey,
    next: (current: T) => T,
    preconditions: Preconditions = {},
  ): T {
    const before = this.#meant(resource, key, preconditions);
    const { uid, creationTimestamp, deletionTimestamp, resourceVersion, namespace, name } = before.metadata ?? {};
    const changed = next(before);
    const fixed = { uid, creationTimestamp, resourceVersion, namespace, name };
    const metadata = { ...changed.metadata, ...fixed, ...(deletionTimestamp && { deletionTimestamp }) };
    const after = structuredClone({ ...changed, metadata }) as T;
    if (!isDeepStrictEqual(before, after)) this.#write({ user, resource, before, after });
    return this.find(resource, key) ?? after;
  }

  delete<T extends KubeObject>(
    user: User,
    resource: Resource<T>,
    key: ObjectKey,
    preconditions: Preconditions = {},
  ): void {
    const before = this.#meant(resource, key, preconditions);
    this.#admit({ user, resource, before, after: undefined });
    if (before.metadata?.deletionTimestamp) return;
    const deletionTimestamp = new Date(this.#now()).toISOString();
    const after = { ...before, metadata: { ...before.metadata, deletionTimestamp } };
    this.#store({ user, resource, before, after });
  }

  #meant<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, { uid, resourceVersion }: Preconditions): T {
    const found = this.find(resource, key);
    if (!found) throw refusal(404, 'NotFound', `${keyToString(key)} not found`);
    const isOther = uid !== undefined && uid !== found.metadata?.uid;
    const isOld = resourceVersion !== undefined && resourceVersion !== found.metadata?.resourceVersion;
    if (isOther || isOld) throw refusal(409, 'Conflict', `${keyToString(key)} is another or has changed`);
    return found;
  }

  #write(write: Write): void {
    this.#admit(write);
    this.#store(write);
  }

  #store({ user, resource, before, after }: Write): void {
    if (!after) return;
    const isGone = after.metadata?.deletionTimestamp && !after.metadata.finalizers?.length;
    const stored = { ...after, metadata: { ...after.metadata, resourceVersion: String(++this.#version) } };
    const objects = this.#of(resource);
    if (isGone) objects.delete(keyToString(keyOf(after)));
    else objects.set(keyToString(keyOf(after)), stored);
    for (const tell of this.#listeners) tell({ user, resource, before, after: isGone ? undefined : stored });
  }

  #of(resource: Resource<KubeObject>): Map<string, KubeObject> {
    const name = resourceName(resource);
    const found = this.#objects.get(name) ?? new Map<string, KubeObject>();
    this.#objects.set(name, found);
    return found;
  }
}

/** An answer of the API server's that says no. */
export function refusal(code: number, reason: string, message: string): ApiError {
  return new ApiError({ code, reason, message });
}
