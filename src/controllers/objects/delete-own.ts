import type { KubeClient } from '../../kube/client.ts';
import { isForbidden, isInvalid, toError } from '../../kube/errors.ts';
import type { ObjectKey } from '../../kube/key.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';

/**
 * Deletes an object of the controllers that they may not read, such as a Secret. Their admission policy
 * (deploy/admission/controller-limits.yaml) ensures that the object is theirs, and protects a foreign one of the same
 * name.
 */
export async function deleteOwn<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  key: ObjectKey,
): Promise<void> {
  try {
    await client.delete(resource, key);
  } catch (error) {
    if (!isRefusedByPolicy(error)) throw error;
  }
}

/**
 * Reports whether the controllers' admission policy has refused a request, rather than a missing right: the message
 * names the policy. The status is that of the reason that the policy gives, or of Invalid.
 */
export function isRefusedByPolicy(error: unknown): boolean {
  return (isForbidden(error) || isInvalid(error)) && toError(error).message.includes('ValidatingAdmissionPolicy');
}
