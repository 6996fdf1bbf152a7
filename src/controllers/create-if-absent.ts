import type { KubeClient } from '../kube/client.ts';
import { ApiError, isAlreadyExists, isForbidden, WaitingError } from '../kube/errors.ts';
import type { KubeObject, Resource } from '../kube/resource.ts';

const LOOK_AGAIN_MILLISECONDS = 5_000;

/**
 * Creates an object, unless one of its name exists: the cache may only be behind.
 *
 * @throws WaitingError ErrExceededQuota where the namespace's quota has no room for it
 */
export async function createIfAbsent<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  object: T,
): Promise<void> {
  try {
    await client.create(resource, object);
  } catch (error) {
    if (isAlreadyExists(error)) return;
    if (isForbidden(error) && error instanceof ApiError && error.message.includes('exceeded quota')) {
      throw new WaitingError(
        'ErrExceededQuota',
        `${error.message}; free some of the quota or raise it, and the work goes on`,
        { after: LOOK_AGAIN_MILLISECONDS, cause: error },
      );
    }
    throw error;
  }
}
