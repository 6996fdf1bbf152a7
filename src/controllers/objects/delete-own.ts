import type { KubeClient } from '../../kube/client.ts';
import { isForbidden, isInvalid, toError } from '../../kube/errors.ts';
import type { Key } from '../../kube/key.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';

/**
 * Deletes an object of the controllers' own that they may not read, such as a Secret. That it is theirs the policy on them makes sure
 * of (deploy/admission/controller-limits.yaml), which leaves another one of that name alone.
 */
export async function deleteOwn<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  key: Key,
): Promise<void> {
  try {
    await client.delete(resource, key);
  } catch (error) {
    if (!isRefusedByPolicy(error)) throw error;
  }
}

/**
 * Whether the policy on the controllers has refused a request, and not a right that is missing: the message names the policy. Its status is that
 * of the reason that the policy gives, or of Invalid.
 */
export function isRefusedByPolicy(error: unknown): boolean {
  return (isForbidden(error) || isInvalid(error)) && toError(error).message.includes('ValidatingAdmissionPolicy');
}
