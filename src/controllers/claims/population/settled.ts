import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { keyOf } from '../../../kube/key.ts';
import type { VolumeSnapshot } from '../../../kube/snapshot-resources.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { isBound } from '../bound.ts';
import { hasFailedToProvision } from './failed-restore.ts';
import { isSettled } from './snapshot-removal.ts';

/** The time allowed for an abandoned snapshot to be taken or restored. */
export const SETTLING_MILLISECONDS = 30_000;

/** The age before which a claim is not checked for a failure, because most restores succeed within it. */
const FAILING_MILLISECONDS = 1_500;

/** Returns whether working claims and snapshots can be deleted now without leaving anything behind in the storage. */
export async function areSettled(
  { client, now }: Pick<ControllerContext, 'client' | 'now'>,
  claims: readonly PersistentVolumeClaim[],
  snapshots: readonly VolumeSnapshot[],
): Promise<boolean> {
  for (const claim of claims.filter(isBeingRestored)) {
    const age = now() - Date.parse(claim.metadata?.creationTimestamp ?? '');
    if (age < FAILING_MILLISECONDS || !(await hasFailedToProvision(client, keyOf(claim)))) return false;
  }
  const settled = await Promise.all(snapshots.map((snapshot) => isSettled(client, snapshot)));
  return settled.every(Boolean);
}

/**
 * Returns whether a claim is still being restored. Where such a claim is deleted, the CSI provisioner leaves its
 * finalizer on the snapshot.
 */
function isBeingRestored(claim: PersistentVolumeClaim): boolean {
  return claim.spec?.dataSource?.kind === 'VolumeSnapshot' && !isBound(claim);
}
