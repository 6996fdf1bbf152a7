import type { Right, Verb } from '../../../../src/controllers/runtime/rights.ts';
import type { PersistentVolumeClaim } from '../../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../../src/kube/client.ts';
import { isNotFound } from '../../../../src/kube/errors.ts';
import type { JsonPatchOperation } from '../../../../src/kube/json-patch.ts';
import { keyOf, type ObjectKey } from '../../../../src/kube/key.ts';
import type { PatchType } from '../../../../src/kube/patch-type.ts';
import { type KubeObject, type Resource, resourceName } from '../../../../src/kube/resource.ts';
import { type Preconditions, refusal, type SimulatedApi, type User } from './api.ts';
import { applied, merged, patched } from './patches.ts';

/** What is asked of the API server. The name is undefined where there is none yet. */
export interface AccessRequest {
  readonly verb: Verb;
  readonly resource: Resource<KubeObject>;
  readonly subresource?: Right['subresource'];
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

/** @throws ApiError where the request is refused */
export type Authorize = (request: AccessRequest) => void;

interface ClientOptions {
  /** Happens before each request arrives. */
  readonly before?: () => Promise<void>;
  /**
   * What the user may ask for, anything without them. To ask for more is an Error, and no refusal that somebody could
   * expect.
   */
  readonly rights?: readonly Right[];
  readonly authorize?: Authorize;
}

/** A user's way to the API, with the methods of a KubeClient that the controllers use. */
export class SimulatedClient {
  readonly #api: SimulatedApi;
  readonly #user: User;
  readonly #before: () => Promise<void>;
  readonly #rights: readonly Right[] | undefined;
  readonly #authorize: Authorize;
  /** Names of the annotations that each field manager has applied, by the uid of the object. */
  readonly #managed = new Map<string, ReadonlySet<string>>();

  constructor(api: SimulatedApi, user: User, options: ClientOptions = {}) {
    this.#api = api;
    this.#user = user;
    this.#before = options.before ?? (async () => undefined);
    this.#rights = options.rights;
    this.#authorize = options.authorize ?? (() => undefined);
  }

  asKubeClient(): KubeClient {
    return this as unknown as KubeClient;
  }

  async get<T extends KubeObject>(resource: Resource<T>, key: ObjectKey): Promise<T | undefined> {
    await this.#arrive({ verb: 'get', resource, ...key });
    return this.#api.find(resource, key);
  }

  /** Events are all that the controllers list, and nobody writes any but a test. */
  async list<T extends KubeObject>(resource: Resource<T>, { namespace }: { namespace?: string } = {}): Promise<T[]> {
    this.#require({ verb: 'list', resource, namespace });
    return this.#api.list(resource).filter(({ metadata }) => !namespace || metadata?.namespace === namespace);
  }

  async create<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    { of }: { of?: { resource: Resource<KubeObject>; subresource: 'token' } } = {},
  ): Promise<T> {
    const { namespace } = object.metadata ?? {};
    if (of) {
      await this.#arrive({ verb: 'create', ...of, ...keyOf(object) });
      return { ...object, status: { token: 'token' } };
    }
    await this.#arrive({ verb: 'create', resource, namespace });
    // A question, of which nothing stays. Tokens are for others than the API server.
    if (resource.kind === 'TokenReview') return { ...object, status: { authenticated: false } };
    this.#requireOwnership(object);
    return this.#api.create(this.#user, resource, defaulted(resource, object));
  }

  async apply<T extends KubeObject>(resource: Resource<T>, object: T, options: { fieldManager: string }): Promise<T> {
    const key = keyOf(object);
    await this.#arrive({ verb: 'patch', resource, ...key });
    this.#requireOwnership(object);
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
    const key = keyOf(object);
    await this.#arrive({ verb: 'patch', resource, subresource: 'status', ...key });
    return this.#api.change(this.#user, resource, key, (current) => ({ ...current, status: object.status }));
  }

  async mergePatch<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: KubeObject,
    { subresource }: { subresource?: 'status' } = {},
  ): Promise<T> {
    await this.#arrive({ verb: 'patch', resource, subresource, ...key });
    this.#requireOwnership(patch);
    const { uid, resourceVersion } = patch.metadata ?? {};
    return this.#api.change(this.#user, resource, key, (current) => merged(current, patch), { uid, resourceVersion });
  }

  async jsonPatch<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    operations: readonly JsonPatchOperation[],
  ): Promise<T> {
    await this.#arrive({ verb: 'patch', resource, ...key });
    return this.#api.change(this.#user, resource, key, (current) => patched(current, operations));
  }

  /** Returns what would become of the object; nothing changes. */
  async tryPatch<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: object,
    { type }: { type: PatchType },
  ): Promise<T> {
    await this.#arrive({ verb: 'patch', resource, ...key });
    const found = this.#api.find(resource, key);
    if (!found) throw refusal(404, 'NotFound', `${key.name} not found`);
    if (type === 'json') throw refusal(422, 'Invalid', 'no operations are simulated');
    return merged(found, patch);
  }

  async update<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T> {
    const key = keyOf(object);
    await this.#arrive({ verb: 'update', resource, ...key });
    const { uid, resourceVersion } = object.metadata ?? {};
    return this.#api.change(this.#user, resource, key, () => object, { uid, resourceVersion });
  }

  async delete<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    options: Preconditions = {},
  ): Promise<void> {
    await this.#arrive({ verb: 'delete', resource, ...key });
    try {
      this.#api.delete(this.#user, resource, key, options);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async #arrive(request: AccessRequest): Promise<void> {
    this.#require(request);
    await this.#before();
  }

  #require(request: AccessRequest): void {
    const { verb, resource, subresource } = request;
    const isGranted = (this.#rights ?? [{ resource, subresource, verbs: [verb] }]).some(
      (right) =>
        resourceName(right.resource) === resourceName(resource) &&
        right.subresource === subresource &&
        right.verbs.includes(verb),
    );
    if (!isGranted) throw new Error(`no right to ${verb} ${resourceName(resource)} ${subresource ?? ''}`);
    this.#authorize(request);
  }

  /** As the admission plugin OwnerReferencesPermissionEnforcement does. */
  #requireOwnership({ metadata: { namespace, ownerReferences = [] } = {} }: KubeObject): void {
    if (!this.#rights) return;
    for (const { kind, name, blockOwnerDeletion } of ownerReferences) {
      if (!blockOwnerDeletion) continue;
      const right = this.#rights.find((each) => each.subresource === 'finalizers' && each.resource.kind === kind);
      if (!right) throw new Error(`no right to hold up the deletion of a ${kind}`);
      const { resource } = right;
      this.#require({ verb: 'update', resource, subresource: 'finalizers', namespace, name });
    }
  }
}

/** What the API server makes of a new claim: its data source stands under both names. */
function defaulted<T extends KubeObject>({ kind }: Resource<T>, object: T): T {
  const { spec } = object as PersistentVolumeClaim;
  if (kind !== 'PersistentVolumeClaim' || !spec?.dataSource) return object;
  return { ...object, spec: { ...spec, dataSourceRef: spec.dataSource } };
}
