import type { KubeObject, Resource } from '../../kube/resource.ts';

/**
 * What the controllers may do with a resource. Every feature declares what it needs beside its code; the sum of all is what
 * deploy/base/rbac.yaml grants, no more and no less.
 */
export interface Right {
  readonly resource: Resource<KubeObject>;
  /** A part of the resource with rights of its own. */
  readonly subresource?: 'status' | 'finalizers';
  readonly verbs: readonly Verb[];
  /** Only in the namespace of the installation; without it, everywhere. */
  readonly within?: 'installation';
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

/**
 * What is needed to own objects by owners of a resource, where the cluster has OwnerReferencesPermissionEnforcement: a reference with
 * blockOwnerDeletion keeps its owner from going, as a finalizer does.
 */
export function mayOwn(owner: Resource<KubeObject>): Right {
  return { resource: owner, subresource: 'finalizers', verbs: ['update'] };
}
