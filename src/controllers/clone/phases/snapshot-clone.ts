import { parseQuantity } from '../../../api/quantity.ts';
import { formatQuantity } from '../../../base/units.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import type { ObjectKey } from '../../../kube/key.ts';
import { annotateClaim } from '../../claims/annotate-claim.ts';
import { isBound } from '../../claims/bound.ts';
import { provisioningFailure } from '../../claims/population/failed-restore.ts';
import { restoreSizeRefusedAnnotation } from '../../objects/internal-annotations.ts';
import { isMadeFor } from '../../objects/made-for.ts';
import { requestedBytes } from '../../transfers/transfer-target.ts';
import { findConsumer, reachOfSnapshot } from '../source/reach.ts';
import { restoreSpecOf } from '../source/restore-class.ts';
import type { CloneSource } from '../source/source.ts';
import { strategyOf } from '../strategies/strategies.ts';
import { claimBesideSource } from './claim-beside-source.ts';
import { fillByDriver } from './fill-by-driver.ts';
import { mountOnce, unmount } from './mount-once.ts';
import type { CloneWork, Phase } from './phase.ts';

const FIELD_MANAGER = 'diskpress-snapshot-clone';

const REFUSING_MILLISECONDS = 1_500;

/**
 * CSI specification, "CreateVolume Errors": the codes that drivers return for a volume that is smaller than its source.
 */
const TOO_SMALL = ['OutOfRange', 'InvalidArgument'];

/**
 * The phase SnapshotClone: the driver restores a snapshot, which is the temporary one or the source itself, into the
 * working claim or, where the data then has to be copied, into a temporary source claim.
 */
export const snapshotClone: Phase = async (work) => {
  if (strategyOf(work.plan.cloneType).restoresInto === 'workingClaim') {
    await removeRefused(work, work.workingClaim);
    return fillByDriver(work, work.workingClaim, () => restored(work));
  }
  await removeHopelessSource(work);
  await removeRefused(work, work.temporarySourceClaim);
  const outcome = await fillByDriver(work, work.temporarySourceClaim, () => temporarySource(work));
  const claim = work.context.caches.claims.get(work.temporarySourceClaim);
  // The copying pods are created only after the volume has been provisioned.
  if (outcome !== 'complete' || !claim) return outcome;
  if (isBound(claim)) {
    await unmount(work, claim);
    return outcome;
  }
  return mountOnce(work, claim, reachOfSnapshot(work.context.caches, work.source.key));
};

/**
 * Deletes a temporary source claim that cannot be provisioned any more because its class was deleted; it is created
 * again with another class.
 */
async function removeHopelessSource({ context, target, temporarySourceClaim }: CloneWork): Promise<void> {
  const claim = context.caches.claims.get(temporarySourceClaim);
  const name = claim?.spec?.storageClassName ?? '';
  if (!claim || isBound(claim) || isBeingDeleted(claim) || !isMadeFor(claim, target.metadata?.uid)) return;
  if (context.caches.storageClasses.get({ namespace: '', name })) return;
  await context.client.delete(persistentVolumeClaims, temporarySourceClaim, { uid: claim.metadata?.uid });
}

async function restored(work: CloneWork): Promise<PersistentVolumeClaim> {
  const { source, context } = work;
  if (source.kind === 'VolumeSnapshot') {
    const snapshot = await source.read();
    return claimBesideSource(work, {
      ...work.workingClaim,
      dataSource: dataSource(snapshot.key.name),
      storage: formatQuantity(restoredBytes(work, snapshot)),
    });
  }
  const key = work.temporarySnapshot;
  const restoreSize = context.caches.snapshots.get(key)?.status?.restoreSize;
  const capacity = context.caches.claims.get(source.key)?.status?.capacity?.['storage'];
  // The claim is at least as large as the source's volume from the start, because expanding it afterwards takes longer.
  const size = Math.max(parseQuantity(restoreSize ?? '0'), parseQuantity(capacity ?? '0'));
  return claimBesideSource(work, {
    ...work.workingClaim,
    dataSource: dataSource(key.name),
    storage: formatQuantity(size || requestedBytes(work.target)),
  });
}

/**
 * Returns the bytes to request for a restore. Some drivers restore a snapshot only at exactly its restore size; others
 * report the used bytes there, and refuse to restore to less than the size of the original volume.
 */
function restoredBytes({ target }: CloneWork, snapshot: CloneSource): number {
  const { restoreSize = 0 } = snapshot;
  const isRefused = target.metadata?.annotations?.[restoreSizeRefusedAnnotation] === 'true';
  return isRefused || restoreSize === 0 ? largestRestore(target, snapshot) : restoreSize;
}

/** Returns the largest size in bytes that the snapshot's volume may have had, as far as it is known. */
function largestRestore(target: PersistentVolumeClaim, { capacity }: CloneSource): number {
  return Math.max(capacity, requestedBytes(target));
}

/**
 * Deletes a claim that the driver reports to be too small for its snapshot; it is created again at the size of the
 * snapshot's original volume.
 */
async function removeRefused({ context, target, source }: CloneWork, key: ObjectKey): Promise<void> {
  const { client, caches } = context;
  const claim = caches.claims.get(key);
  if (!claim || isBound(claim) || isBeingDeleted(claim) || !isMadeFor(claim, target.metadata?.uid)) return;
  if (source.kind !== 'VolumeSnapshot' || target.metadata?.annotations?.[restoreSizeRefusedAnnotation]) return;
  // A young claim is not checked, because most restores succeed at once.
  if (context.now() - Date.parse(claim.metadata?.creationTimestamp ?? '') < REFUSING_MILLISECONDS) return;
  const code = await provisioningFailure(client, key, claim.metadata?.uid);
  if (code === undefined || !TOO_SMALL.includes(code)) return;
  if (requestedBytes(claim) >= largestRestore(target, await source.read())) return;
  await annotateClaim(client, target, FIELD_MANAGER, { [restoreSizeRefusedAnnotation]: 'true' });
  await client.delete(persistentVolumeClaims, key, { uid: claim.metadata?.uid });
}

async function temporarySource(work: CloneWork): Promise<PersistentVolumeClaim> {
  const source = await work.source.read();
  const consumer = await findConsumer(work.context, work.target, source);
  return claimBesideSource(work, {
    ...work.temporarySourceClaim,
    dataSource: dataSource(source.key.name),
    storage: formatQuantity(restoredBytes(work, source)),
    spec: restoreSpecOf(work.context.caches, source, work.target),
    anyNode: consumer?.reachesSnapshots === false,
  });
}

const dataSource = (name: string) => ({ apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name });
