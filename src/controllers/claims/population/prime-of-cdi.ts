import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import type { ObjectKey } from '../../../kube/key.ts';
import { isPrimeOfCdi } from '../../objects/left-by-cdi.ts';
import { requireMadeFor } from '../../objects/made-for.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { isPodRetained } from '../pod-retention.ts';

/**
 * Returns the working claim of a target claim, where there is one: ours, or the one by which CDI has begun to populate
 * the target.
 *
 * @throws WaitingError ErrResourceExists where another object has its name
 */
export function requireWorkingClaim(
  claim: PersistentVolumeClaim | undefined,
  targetUid: string | undefined,
): PersistentVolumeClaim | undefined {
  return claim && isPrimeOfCdi(claim, targetUid) ? claim : requireMadeFor(claim, targetUid);
}

/** Deletes the working claim of CDI that has lost its volume to the target claim, unless its pod is to be kept. */
export async function removeLostPrime(
  { client, caches }: Pick<ControllerContext, 'client' | 'caches'>,
  target: PersistentVolumeClaim,
  key: ObjectKey,
): Promise<void> {
  const prime = caches.claims.get(key);
  if (!prime || !isPrimeOfCdi(prime, target.metadata?.uid) || isBeingDeleted(prime)) return;
  if (prime.status?.phase === 'Lost' && !isPodRetained(prime))
    await client.delete(persistentVolumeClaims, key, { uid: prime.metadata?.uid });
}
