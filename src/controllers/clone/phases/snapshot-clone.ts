import { formatQuantity } from '../../../base/units.ts';
import { parseQuantity } from '../../../api/quantity.ts';
import { persistentVolumeClaims, type PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { isMadeFor } from '../../objects/made-for.ts';
import { isBound } from '../../claims/bound.ts';
import { requestedBytes } from '../../transfers/transfer-target.ts';
import { findConsumer, reachOfSnapshot } from '../source/reach.ts';
import { restoreSpecOf } from '../source/restore-class.ts';
import { claimBesideSource } from './claim-beside-source.ts';
import { fillByDriver } from './fill-by-driver.ts';
import { mountOnce, unmount } from './mount-once.ts';
import type { CloneWork, Phase } from './phase.ts';

/**
 * SnapshotClone: the driver restores a snapshot, the temporary one or the source itself, into the working claim, or
 * where the data has to be copied from there, into a stand-in for the source.
 */
export const snapshotClone: Phase = async (work) => {
  if (work.plan.cloneType !== 'copy') return fillByDriver(work, work.workingClaim, () => restored(work));
  await removeHopelessStandIn(work);
  const outcome = await fillByDriver(work, work.temporarySourceClaim, () => standIn(work));
  const claim = work.context.caches.claims.get(work.temporarySourceClaim);
  // The copying pods are made only once there is a volume.
  if (outcome !== 'complete' || !claim) return outcome;
  if (isBound(claim)) {
    await unmount(work, claim);
    return outcome;
  }
  return mountOnce(work, claim, reachOfSnapshot(work.context.caches, work.source.key));
};

/** One that cannot be provisioned any more, because its class is gone, is made anew of another. */
async function removeHopelessStandIn({ context, target, temporarySourceClaim }: CloneWork): Promise<void> {
  const claim = context.caches.claims.get(temporarySourceClaim);
  const name = claim?.spec?.storageClassName ?? '';
  if (!claim || isBound(claim) || isBeingDeleted(claim) || !isMadeFor(claim, target.metadata?.uid)) return;
  if (context.caches.storageClasses.get({ namespace: '', name })) return;
  await context.client.delete(persistentVolumeClaims, temporarySourceClaim, { uid: claim.metadata?.uid });
}

async function restored(work: CloneWork): Promise<PersistentVolumeClaim> {
  const { source, context } = work;
  const key = source.kind === 'VolumeSnapshot' ? (await source.read()).key : work.temporarySnapshot;
  const restoreSize = context.caches.snapshots.get(key)?.status?.restoreSize;
  // A claim may have the name of a snapshot, and be another one's.
  const origin = source.kind === 'PersistentVolumeClaim' ? context.caches.claims.get(source.key) : undefined;
  const capacity = origin?.status?.capacity?.['storage'];
  // At once as large as the source's volume, where that is known and more: growing it afterwards takes longer.
  const size = Math.max(parseQuantity(restoreSize ?? '0'), parseQuantity(capacity ?? '0'));
  return claimBesideSource(work, {
    ...work.workingClaim,
    dataSource: dataSource(key.name),
    storage: formatQuantity(size || requestedBytes(work.target)),
  });
}

async function standIn(work: CloneWork): Promise<PersistentVolumeClaim> {
  const source = await work.source.read();
  const consumer = await findConsumer(work.context, work.target, source);
  return claimBesideSource(work, {
    ...work.temporarySourceClaim,
    dataSource: dataSource(source.key.name),
    storage: formatQuantity(source.capacity || requestedBytes(work.target)),
    spec: restoreSpecOf(work.context.caches, source, work.target),
    anyNode: consumer?.reachesSnapshots === false,
  });
}

const dataSource = (name: string) => ({ apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name });
