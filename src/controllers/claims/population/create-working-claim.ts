import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import { WaitingError } from '../../../kube/errors.ts';
import { createIfAbsent } from '../../objects/create-if-absent.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { dataVolumeOf } from '../data-volume-of.ts';

/**
 * Creates the working claim of a target claim, unless it exists.
 *
 * @throws WaitingError as {@link createIfAbsent} does; where a quota has no room for the claim, with advice on
 *   alternatives
 */
export async function createWorkingClaim(
  { client, caches }: Pick<ControllerContext, 'client' | 'caches'>,
  target: PersistentVolumeClaim,
  claim: PersistentVolumeClaim,
): Promise<void> {
  try {
    await createIfAbsent(client, persistentVolumeClaims, claim);
  } catch (error) {
    if (!(error instanceof WaitingError) || error.reason !== 'ErrExceededQuota') throw error;
    const { after = 0 } = error;
    throw new WaitingError(
      error.reason,
      `${error.message}${adviceFor(target, dataVolumeOf(caches, target) !== undefined)}`,
      {
        after,
        cause: error,
      },
    );
  }
}

/**
 * Returns advice for a claim without room in its quota: the data source of a claim is immutable, so only a new claim
 * can be populated in another way.
 */
function adviceFor({ metadata }: PersistentVolumeClaim, hasDataVolume: boolean): string {
  const why = `. Claim "${metadata?.name}" is filled by way of a second one of its size`;
  return hasDataVolume
    ? `${why}: where there is no room for both, its DataVolume can be made anew, and the claim is written itself if nothing mounts it yet`
    : `${why}: where there is no room for both, let a DataVolume make it, which then has the claim written itself`;
}
