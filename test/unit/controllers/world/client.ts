import type { Right, Verb } from '../../../../src/controllers/runtime/rights.ts';
import type { PersistentVolumeClaim } from '../../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../../src/kube/client.ts';
import { isNotFound } from '../../../../src/kube/errors.ts';
import { keyOf, type ObjectKey } from '../../../../src/kube/key.ts';
import { type KubeObject, type Resource, resourceName } from '../../../../src/kube/resource.ts';
import { type Preconditions, refusal, type SimulatedApi, type User } from './api.ts';
import { applied, merged } from './patches.ts';

/** A user's way to the API, with the methods of a KubeClient that the controllers use. */
export class SimulatedClient {
  readonly #api: SimulatedApi;
  readonly #user: User;
  readonly #before: () => Promise<void>;
  readonly #rights: readonly Right[] | undefined;
  /** Names of the annotations that each field manager has applied, by the uid of the object. */
  readonly #managed = new Map<string, ReadonlySet<string>>();

  /**
   * @param options before: what happens before each request arrives; rights: what the user may ask for, anything
   *   without them. To ask for more is an Error, and no refusal that somebody could expect.
   */
  constructor(
    api: SimulatedApi,
    user: User,
    options: { readonly before?: () => Promise<void>; readonly rights?: readonly Right[] } = {},
  ) {
    this.#api = api;
    this.#user = user;
    this.#before = options.before ?? (async () => undefined);
    this.#rights = options.rights;
  }

  asKubeClient(): KubeClient {
    return this as unknown as KubeClient;
  }

  async get<T extends KubeObject>(resource: Resource<T>, key: ObjectKey): Promise<T | undefined> {
    await this.#arrive('get', resource);
    return this.#api.find(resource, key);
  }

  /** Events are all that the controllers list, and nobody writes any. */
  async list(resource: Resource<KubeObject>): Promise<[]> {
    this.#require('list', resource);
    return [];
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T> {
    await this.#arrive('create', resource);
    return this.#api.create(this.#user, resource, defaulted(resource, object));
  }

  async apply<T extends KubeObject>(resource: Resource<T>, object: T, options: { fieldManager: string }): Promise<T> {
    await this.#arrive('patch', resource);
    const key = keyOf(object);
    const { uid } = object.metadata ?? {};
    if (!this.#api.find(resource, key)) {
      if (uid) throw refusal(409, 'Conflict', `${key.name} is gone`);
      return this.create(resource, object);
    }
    const names = new Set(Object.keys(object.metadata?.annotations ?? {}));
    const id = `${uid} ${options.fieldManager}`;
    const left = [...(this.#managed.get(id) ?? [])].filter((name) => !names.has(name));
    const written = this.#api.change(
      this.#user,
      resource,
      key,
      (current) => {
        const next = applied(current, object);
        const kept = Object.entries(next.metadata?.annotations ?? {}).filter(([name]) => !left.includes(name));
        return { ...next, metadata: { ...next.metadata, annotations: Object.fromEntries(kept) } };
      },
      { uid },
    );
    this.#managed.set(id, names);
    return written;
  }

  async applyStatus<T extends KubeObject & { status?: object }>(resource: Resource<T>, object: T): Promise<T> {
    await this.#arrive('patch', resource, 'status');
    return this.#api.change(this.#user, resource, keyOf(object), (current) => ({ ...current, status: object.status }));
  }

  async mergePatch<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, patch: KubeObject): Promise<T> {
    await this.#arrive('patch', resource);
    const { uid, resourceVersion } = patch.metadata ?? {};
    return this.#api.change(this.#user, resource, key, (current) => merged(current, patch), { uid, resourceVersion });
  }

  async delete<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    options: Preconditions = {},
  ): Promise<void> {
    await this.#arrive('delete', resource);
    try {
      this.#api.delete(this.#user, resource, key, options);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #arrive(verb: Verb, resource: Resource<KubeObject>, subresource?: Right['subresource']): Promise<void> {
    this.#require(verb, resource, subresource);
    await this.#before();
  }

  #require(verb: Verb, resource: Resource<KubeObject>, subresource?: Right['subresource']): void {
    const isGranted = (this.#rights ?? [{ resource, subresource, verbs: [verb] }]).some(
      (right) =>
        resourceName(right.resource) === resourceName(resource) &&
        right.subresource === subresource &&
        right.verbs.includes(verb),
    );
    if (!isGranted) throw new Error(`no right to ${verb} ${resourceName(resource)} ${subresource ?? ''}`);
  }
}

/** What the API server makes of a new claim: its data source stands under both names. */
function defaulted<T extends KubeObject>({ kind }: Resource<T>, object: T): T {
  const { spec } = object as PersistentVolumeClaim;
  if (kind !== 'PersistentVolumeClaim' || !spec?.dataSource) return object;
  return { ...object, spec: { ...spec, dataSourceRef: spec.dataSource } };
}
