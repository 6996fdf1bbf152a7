import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { keyOf } from '../../../kube/key.ts';
import type { VolumeSnapshot } from '../../../kube/snapshot-resources.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { isBound } from '../bound.ts';
import { hasFailedToProvision } from './failed-restore.ts';
import { isSettled } from './snapshot-removal.ts';

/** How long a snapshot that nobody wants any more may take to be taken, or to be restored. */
export const SETTLING_MILLISECONDS = 30_000;

/** What is restored at once is not asked about. */
const FAILING_MILLISECONDS = 1_500;

/** Whether working claims and snapshots can be deleted now without leaving something of the storage's behind. */
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

/** The CSI provisioner forgets its finalizer on the snapshot of a claim that goes before it is restored. */
function isBeingRestored(claim: PersistentVolumeClaim): boolean {
  return claim.spec?.dataSource?.kind === 'VolumeSnapshot' && !isBound(claim);
}
