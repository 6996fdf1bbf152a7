import type { VolumeSnapshot } from '../../../kube/snapshot-resources.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { deleteTemporary } from './delete-temporary.ts';
import { SETTLING_MILLISECONDS } from './settled.ts';
import { isSettled } from './snapshot-removal.ts';

/** How long a temporary snapshot may take before the work goes on without it. */
export const SNAPSHOT_PATIENCE_MILLISECONDS = 30_000;
/** The age up to which a snapshot that is still being taken is not deleted, because it would leave something behind. */
const SETTLED_MILLISECONDS = SNAPSHOT_PATIENCE_MILLISECONDS + SETTLING_MILLISECONDS;

/**
 * Removes a temporary snapshot, once nothing of it would be left behind.
 *
 * @returns `waiting` where it cannot be deleted yet
 */
export async function removeWhenSettled(
  context: Pick<ControllerContext, 'caches' | 'client' | 'now'>,
  snapshot: VolumeSnapshot,
): Promise<'deleted' | 'waiting'> {
  const { client, now } = context;
  const age = now() - Date.parse(String(snapshot.metadata?.creationTimestamp ?? ''));
  if (age < SETTLED_MILLISECONDS && !(await isSettled(client, snapshot))) return 'waiting';
  return deleteTemporary(context, [], [snapshot]);
}
