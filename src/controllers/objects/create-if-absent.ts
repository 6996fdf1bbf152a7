import type { KubeClient } from '../../kube/client.ts';
import { ApiError, isAlreadyExists, isForbidden, isInvalid, WaitingError } from '../../kube/errors.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import { keyOf, keyToString } from '../../kube/key.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import { workForAnnotation } from './internal-annotations.ts';
import { isMadeFor, nameTaken } from './made-for.ts';

const QUOTA_MILLISECONDS = 5_000;
const NAME_TAKEN_MILLISECONDS = 1_000;

/**
 * Creates an object, unless it exists, of which the cache may not know yet.
 *
 * @returns the created or existing object
 * @throws WaitingError ErrExceededQuota where the namespace's quota has no room for it; ErrStartingPod or ErrForbidden
 * where it is refused otherwise; ErrResourceExists where another object has its name: one that is being deleted, that
 * has other owners, or that somebody else created
 */
export async function createIfAbsent<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  object: T,
): Promise<T> {
  try {
    return await client.create(resource, object);
  } catch (error) {
    if (isAlreadyExists(error)) {
      return requireSame(resource, object, await client.get(resource, keyOf(object)));
    }
    throw refusedByQuota(error) ?? refusedByAdmission(resource, object, error) ?? error;
  }
}

/**
 * Returns what to wait for when a request was refused because the namespace's quota has no room; undefined for other
 * errors.
 */
export function refusedByQuota(error: unknown): WaitingError | undefined {
  if (!isForbidden(error) || !(error instanceof ApiError) || !error.message.includes('exceeded quota'))
    return undefined;
  return new WaitingError(
    'ErrExceededQuota',
    `${error.message}; free some of the quota or raise it, and the work goes on`,
    { after: QUOTA_MILLISECONDS, cause: error },
  );
}

/**
 * Returns what to wait for when the API server or its admission refuses an object that is made for a user: because of a
 * LimitRange, a PriorityClass or ServiceAccount that does not exist, Pod Security, or a webhook; undefined for other
 * errors.
 */
export function refusedByAdmission(
  resource: Resource<KubeObject>,
  object: KubeObject,
  error: unknown,
): WaitingError | undefined {
  const isRefused = isForbidden(error) || (isInvalid(error) && resource.kind !== 'PersistentVolumeClaim');
  if (!isRefused || !(error instanceof ApiError)) return undefined;
  return new WaitingError(
    resource.kind === 'Pod' ? 'ErrStartingPod' : 'ErrForbidden',
    `${resource.kind} "${keyToString(keyOf(object))}" is refused: ${error.message}; the work goes on when it is not any more`,
    { after: QUOTA_MILLISECONDS, cause: error },
  );
}

/**
 * Requires that the existing object is the desired one. The error has a retry delay of its own, because no watch
 * reports that a name is free again.
 */
function requireSame<T extends KubeObject>(resource: Resource<T>, desired: T, found: T | undefined): T {
  const owners = desired.metadata?.ownerReferences ?? [];
  const isOwned = ({ uid }: { uid: string }) => found?.metadata?.ownerReferences?.some((other) => other.uid === uid);
  const mark = desired.metadata?.annotations?.[workForAnnotation];
  const isMarked = mark === undefined || (found !== undefined && isMadeFor(found, mark));
  if (found && !isBeingDeleted(found) && isMarked && owners.every(isOwned)) return found;
  throw nameTaken(resource.kind, desired, 'it belongs to somebody else, or is being deleted', {
    after: NAME_TAKEN_MILLISECONDS,
  });
}
