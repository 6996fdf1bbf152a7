import type { KubeObject, Resource } from '../../kube/resource.ts';

/**
 * The rights of the controllers on a resource. Every feature declares the rights that it needs beside its code;
 * deploy/base/rbac.yaml grants exactly their sum.
 */
export interface Right {
  readonly resource: Resource<KubeObject>;
  /** Part of the resource with rights of its own. */
  readonly subresource?: 'status' | 'finalizers' | 'token';
  readonly verbs: readonly Verb[];
  /** Restricts the right to the namespace of the installation; without it, the right applies everywhere. */
  readonly within?: 'installation';
  /**
   * Restricts the right to objects of these names; without them, it applies to all. It can restrict `create` only of a
   * subresource.
   */
  readonly names?: readonly string[];
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

/**
 * Returns the right to make objects of a resource owners of others, in a cluster with
 * OwnerReferencesPermissionEnforcement: a reference with blockOwnerDeletion delays the deletion of its owner, as a
 * finalizer does.
 */
export function mayOwn(owner: Resource<KubeObject>): Right {
  return { resource: owner, subresource: 'finalizers', verbs: ['update'] };
}
