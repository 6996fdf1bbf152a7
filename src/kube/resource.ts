import type { V1ObjectMeta, V1OwnerReference } from '@kubernetes/client-node';
import type { OnWire } from './on-wire.ts';

/** Metadata as JSON carries it: timestamps are RFC 3339 strings. */
export type ObjectMeta = OnWire<V1ObjectMeta>;
export type OwnerReference = OnWire<V1OwnerReference>;

/** The fields that every object of the API has. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
}

/** A resource of the API, as its discovery document describes it; `T` is the type of its objects. */
export interface Resource<T extends KubeObject> {
  /** API group; empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Name in URLs, such as `persistentvolumeclaims`. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never has a value: it binds the type of the objects to the resource. */
  readonly objectType?: T;
}

export function defineResource<T extends KubeObject>(resource: {
  group: string;
  version: string;
  kind: string;
  plural: string;
  namespaced: boolean;
}): Resource<T> {
  return Object.freeze({ ...resource });
}

/** Returns the `apiVersion` of a resource's objects: `v1`, or `group/version`. */
export function apiVersionOf(resource: Resource<KubeObject>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/**
 * Returns a resourceVersion as a number: of one resource, the later is the greater. Kubernetes guarantees that since
 * 1.35; in practice it always was so. A version that is no number gives 0.
 */
export function versionNumber(resourceVersion: string | undefined): number {
  return Number(resourceVersion) || 0;
}

/** Returns `plural.group`, by which RBAC rules, messages and metrics name a resource. */
export function resourceName(resource: Resource<KubeObject>): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

/**
 * Returns the URL path of a collection, of an object in it, or of an object's subresource.
 *
 * @param at the object or its namespace; without a namespace, the collection across all namespaces
 * @throws TypeError for an object of a namespaced resource without its namespace
 */
export function resourcePath(
  resource: Resource<KubeObject>,
  at: { namespace?: string | undefined; name?: string | undefined; subresource?: string | undefined } = {},
): string {
  if (resource.namespaced && at.name && !at.namespace) {
    throw new TypeError(`${resourceName(resource)} ${at.name}: the namespace is missing`);
  }
  const segments = resource.group === '' ? ['api'] : ['apis', resource.group];
  segments.push(resource.version);
  if (resource.namespaced && at.namespace) segments.push('namespaces', at.namespace);
  segments.push(resource.plural);
  if (at.name) segments.push(at.name);
  if (at.subresource) segments.push(at.subresource);
  return `/${segments.map(encodeURIComponent).join('/')}`;
}
