import { persistentVolumeClaims, type PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { WaitingError } from '../../../kube/errors.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { createIfAbsent } from '../../objects/create-if-absent.ts';
import { dataVolumeOf } from '../data-volume-of.ts';

/**
 * Makes a claim for the work on a target claim, unless it is there.
 *
 * @throws WaitingError as {@link createIfAbsent} does; where a quota has no room for it, with what can be done besides
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

/** What a claim is populated from cannot be changed; a new one is made for the room that there is. */
function adviceFor({ metadata }: PersistentVolumeClaim, hasDataVolume: boolean): string {
  const why = `. Claim "${metadata?.name}" is filled by way of a second one of its size`;
  return hasDataVolume
    ? `${why}: where there is no room for both, its DataVolume can be made anew, and the claim is written itself if nothing mounts it yet`
    : `${why}: where there is no room for both, let a DataVolume make it, which then has the claim written itself`;
}
