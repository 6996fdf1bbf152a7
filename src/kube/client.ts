import type { KubeConfig } from '@kubernetes/client-node';
import { Metrics } from '../server/metrics.ts';
import { isNotFound } from './errors.ts';
import { asTestFailure, type JsonPatchOperation } from './json-patch.ts';
import { keyOf, type ObjectKey } from './key.ts';
import type { Configuration } from './on-wire.ts';
import { patchContentTypes, type PatchType } from './patch-type.ts';
import { apiVersionOf, type KubeObject, type Resource, resourceName, resourcePath } from './resource.ts';
import { type ApiRequest, failure, Transport } from './transport.ts';
import { parseWatchStream, type WatchEvent } from './watch-stream.ts';

const PAGE_SIZE = 500;

export interface RequestOptions {
  /** Signal that ends the request, which then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Selects objects of a resource; without a namespace, those of all namespaces. */
export interface Selection {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface WatchOptions extends Selection, RequestOptions {
  /** Version after which events are sent. */
  readonly resourceVersion: string;
  /** Seconds after which the server ends the watch. */
  readonly timeoutSeconds: number;
  /** Milliseconds of silence after which the watch throws a ConnectionError. */
  readonly idleTimeout: number;
  /** Whether an object of this version need not be parsed; an event about it comes as a BOOKMARK of that version. */
  readonly isKnown?: (resourceVersion: string) => boolean;
  /** Called once the server has accepted the watch. */
  readonly onOpen?: () => void;
}

export interface DeleteOptions extends RequestOptions {
  /** UID that the object must have to be deleted; any other UID is a conflict. */
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined;
  /** Whether the server only says what it would do. */
  readonly dryRun?: boolean | undefined;
}

/** A page of a list, and the version of the whole list. */
export interface Page<T> {
  readonly items: T[];
  readonly resourceVersion: string;
}

/** A part of an object that is requested by itself. */
interface SubresourceOf {
  readonly resource: Resource<KubeObject>;
  readonly subresource: string;
}

/**
 * Told of each object that a write left behind, before the writer is. It is the same object that the writer gets, which
 * therefore may come frozen, and without what a cache drops.
 */
export type WriteListener = (resource: Resource<KubeObject>, object: KubeObject) => void;

/**
 * A typed client for any resource. All methods throw {@link ApiError} when the server refuses and
 * {@link ConnectionError} when there is no answer. Requests to a busy server (429, or 5xx with Retry-After) are retried
 * for a while before the error is thrown.
 */
export class KubeClient {
  readonly #transport: Transport;
  readonly #onWrite: WriteListener;

  constructor(
    kubeConfig: KubeConfig,
    options: { metrics?: Metrics; userAgent?: string; onWrite?: WriteListener | undefined } = {},
  ) {
    this.#onWrite = options.onWrite ?? (() => undefined);
    this.#transport = new Transport(kubeConfig, {
      metrics: options.metrics ?? new Metrics(),
      userAgent: options.userAgent ?? `node/${process.versions.node}`,
    });
  }

  /** @returns the object, or undefined if it does not exist */
  async get<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    options: RequestOptions = {},
  ): Promise<T | undefined> {
    try {
      const request = { verb: 'get', method: 'GET', ...options } as const;
      return await this.#object(resource, { ...request, path: resourcePath(resource, key) });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Lists all pages and joins them. An Informer is cheaper for large collections that change. */
  async list<T extends KubeObject>(resource: Resource<T>, options: Selection & RequestOptions = {}): Promise<T[]> {
    const objects: T[] = [];
    for await (const page of this.pages(resource, options)) objects.push(...page.items);
    return objects;
  }

  /**
   * Lists page by page; all pages have the same version.
   *
   * @throws {ApiError} status 410, if the list took so long that the server no longer keeps that version
   */
  async *pages<T extends KubeObject>(
    resource: Resource<T>,
    options: Selection & RequestOptions & { pageSize?: number | undefined } = {},
  ): AsyncGenerator<Page<T>> {
    const { namespace, labelSelector, fieldSelector, signal, pageSize = PAGE_SIZE } = options;
    let token: string | undefined;
    do {
      const list = (await this.#transport.json({
        verb: 'list',
        method: 'GET',
        resource: resourceName(resource),
        path: resourcePath(resource, { namespace }),
        query: { labelSelector, fieldSelector, limit: pageSize, continue: token },
        signal,
      })) as { metadata: { resourceVersion: string; continue?: string }; items: T[] | null };
      const items = list.items ?? [];
      // Lists of built-in resources omit apiVersion and kind from their items; watches do not.
      for (const item of items) {
        item.apiVersion ??= apiVersionOf(resource);
        item.kind ??= resource.kind;
      }
      yield { items, resourceVersion: list.metadata.resourceVersion };
      token = list.metadata.continue;
    } while (token);
  }

  /**
   * Watches once. The iteration ends when the server ends the watch; it throws when the connection breaks, when the
   * silence exceeds the idle timeout, and for an error inside the stream.
   */
  async *watch<T extends KubeObject>(resource: Resource<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    const { namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds, idleTimeout, signal } = options;
    const request = {
      verb: 'watch',
      method: 'GET',
      resource: resourceName(resource),
      path: resourcePath(resource, { namespace }),
      query: { watch: true, allowWatchBookmarks: true, labelSelector, fieldSelector, resourceVersion, timeoutSeconds },
      idleTimeout,
      signal,
    } as const;
    const response = await this.#transport.stream(request);
    options.onOpen?.();
    try {
      yield* parseWatchStream<T>(response.body, options.isKnown);
    } catch (error) {
      throw failure(request, error);
    } finally {
      response.body.destroy();
    }
  }

  /**
   * @param options dryRun: whether the server only says what it would do; of: the resource of which the object is a
   *   part with a name of its own, such as the token of a ServiceAccount
   */
  async create<T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    options: RequestOptions & { readonly dryRun?: boolean; readonly of?: SubresourceOf } = {},
  ): Promise<T> {
    const { signal, dryRun, of } = options;
    if (resource.namespaced && !object.metadata?.namespace) {
      throw new TypeError(`${resourceName(resource)} ${object.metadata?.name ?? ''}: the namespace is missing`);
    }
    const request = {
      verb: 'create',
      method: 'POST',
      path: of
        ? resourcePath(of.resource, { ...keyOf(object), subresource: of.subresource })
        : resourcePath(resource, { namespace: object.metadata?.namespace }),
      query: { dryRun: dryRun ? 'All' : undefined },
      body: typed(resource, object),
      signal,
    } as const;
    return dryRun || of ? this.#object(resource, request) : this.#written(resource, request);
  }

  /** Replaces an object. It is a conflict if the object changed since its `metadata.resourceVersion` was read. */
  async update<T extends KubeObject>(resource: Resource<T>, object: T, options: RequestOptions = {}): Promise<T> {
    return this.#written(resource, {
      verb: 'update',
      method: 'PUT',
      path: resourcePath(resource, keyOf(object)),
      body: typed(resource, object),
      ...options,
    });
  }

  /**
   * Performs a server-side apply: creates the object, or sets these fields and takes their ownership from other
   * managers. Fields that the same manager applied before and now omits (or sets to null) are removed.
   */
  async apply<T extends KubeObject>(
    resource: Resource<T>,
    object: Configuration<T>,
    options: RequestOptions & { fieldManager: string },
  ): Promise<T> {
    return this.#apply(resource, object, options);
  }

  /** Performs {@link apply} on the status subresource. The object must exist. */
  async applyStatus<T extends KubeObject>(
    resource: Resource<T>,
    object: Configuration<T>,
    options: RequestOptions & { fieldManager: string },
  ): Promise<T> {
    return this.#apply(resource, object, { ...options, subresource: 'status' });
  }

  /**
   * Sends a JSON merge patch (RFC 7396). If it has a `metadata.resourceVersion`, it is a conflict if the object changed
   * since.
   */
  async mergePatch<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: Configuration<T>,
    options: RequestOptions & { subresource?: string; fieldManager?: string } = {},
  ): Promise<T> {
    return this.#patch(resource, key, patch, { type: 'merge', ...options });
  }

  /** Sends a JSON patch (RFC 6902). It is a conflict if one of its tests fails. */
  async jsonPatch<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    operations: readonly JsonPatchOperation[],
  ): Promise<T> {
    try {
      return await this.#patch(resource, key, operations, { type: 'json' });
    } catch (error) {
      throw asTestFailure(error) ?? error;
    }
  }

  /** Returns what an object would become by a patch; nothing changes. */
  async tryPatch<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: object,
    options: RequestOptions & { type: PatchType; fieldManager?: string },
  ): Promise<T> {
    return this.#patch(resource, key, patch, { ...options, dryRun: 'All' });
  }

  /** Deletes an object; a missing object is success. */
  async delete<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    options: DeleteOptions = {},
  ): Promise<void> {
    const { uid, resourceVersion, gracePeriodSeconds, propagationPolicy, dryRun, signal } = options;
    try {
      const answer = (await this.#transport.json({
        verb: 'delete',
        method: 'DELETE',
        resource: resourceName(resource),
        path: resourcePath(resource, key),
        // All options are in the body: where there is one, the server does not look at the query.
        body: {
          preconditions: { uid, resourceVersion },
          gracePeriodSeconds,
          propagationPolicy,
          dryRun: dryRun ? ['All'] : undefined,
        },
        signal,
      })) as KubeObject;
      // Where the object is gone, the answer is a Status, or what it was before.
      if (answer.metadata?.deletionTimestamp !== undefined && !dryRun) this.#onWrite(resource, answer);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** Closes the connections, which aborts the requests in flight. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  async #apply<T extends KubeObject>(
    resource: Resource<T>,
    object: Configuration<T>,
    options: RequestOptions & { fieldManager: string; subresource?: string },
  ): Promise<T> {
    const { fieldManager, subresource, signal } = options;
    const body = withoutNulls(typed(resource, object as KubeObject)) as KubeObject;
    return this.#written(resource, {
      verb: 'apply',
      method: 'PATCH',
      path: resourcePath(resource, { ...keyOf(body), subresource }),
      query: { fieldManager, force: true },
      contentType: 'application/apply-patch+yaml',
      body,
      signal,
    });
  }

  async #patch<T extends KubeObject>(
    resource: Resource<T>,
    key: ObjectKey,
    body: object,
    options: RequestOptions & { type: PatchType; subresource?: string; fieldManager?: string; dryRun?: 'All' },
  ): Promise<T> {
    const { type, subresource, fieldManager, dryRun, signal } = options;
    const request = {
      verb: 'patch',
      method: 'PATCH',
      path: resourcePath(resource, { ...key, subresource }),
      query: { fieldManager, dryRun },
      contentType: patchContentTypes[type],
      body,
      signal,
    } as const;
    return dryRun ? this.#object(resource, request) : this.#written(resource, request);
  }

  async #written<T extends KubeObject>(resource: Resource<T>, request: Omit<ApiRequest, 'resource'>): Promise<T> {
    const object = await this.#object(resource, request);
    this.#onWrite(resource, object);
    return object;
  }

  async #object<T extends KubeObject>(resource: Resource<T>, request: Omit<ApiRequest, 'resource'>): Promise<T> {
    return (await this.#transport.json({ ...request, resource: resourceName(resource) })) as T;
  }
}

/** Returns the object as it has to be sent: with its type, and without managedFields, which only the server writes. */
function typed(resource: Resource<KubeObject>, object: KubeObject): KubeObject {
  const metadata = { ...object.metadata };
  delete metadata.managedFields;
  return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata };
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null && field !== undefined)
      .map(([name, field]) => [name, withoutNulls(field)]),
  );
}
