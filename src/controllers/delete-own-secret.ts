import { secrets } from '../kube/builtin-resources.ts';
import type { KubeClient } from '../kube/client.ts';
import { isForbidden } from '../kube/errors.ts';
import type { Key } from '../kube/key.ts';

/**
 * Deletes a Secret of the controllers' own. They cannot read Secrets: that it is theirs the policy on them makes sure of
 * (deploy/admission/controller-limits.yaml), which leaves another one of that name alone.
 */
export async function deleteOwnSecret(client: KubeClient, key: Key): Promise<void> {
  try {
    await client.delete(secrets, key);
  } catch (error) {
    if (!isForbidden(error)) throw error;
  }
}
