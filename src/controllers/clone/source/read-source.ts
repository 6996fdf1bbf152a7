import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { volumeModeOf } from '../../transfers/transfer-target.ts';
import { gatherClaimSource } from './claim-source.ts';
import type { ClonedObject } from './cloned-object.ts';
import { requireUnused } from './in-use.ts';
import { gatherSnapshotSource } from './snapshot-source.ts';
import type { CloneSource } from './source.ts';

/**
 * Reads the source of a clone, as long as nothing has been created from it.
 *
 * @throws WaitingError while the source does not exist, is not ready, or is in use
 */
export async function readCloneSource(
  context: ControllerContext,
  target: PersistentVolumeClaim,
  { kind, key }: ClonedObject,
): Promise<CloneSource> {
  if (kind === 'VolumeSnapshot') return gatherSnapshotSource(context, key, volumeModeOf(target));
  const source = gatherClaimSource(context.caches, key);
  requireUnused(context.caches, key);
  return source;
}
