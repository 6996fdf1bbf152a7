import type { CloneType } from '../../api/clone.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { keyOf } from '../../kube/key.ts';
import type { ClonedObject } from '../clone/source/cloned-object.ts';
import { gatherFacts } from '../clone/planner/facts.ts';
import { findConsumer } from '../clone/source/reach.ts';
import { planClone } from '../clone/planner/planner.ts';
import { readCloneSource } from '../clone/source/read-source.ts';
import { requireRoom } from '../clone/source/source.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { latestWarning } from '../runtime/latest-warning.ts';
import { isBound } from '../claims/bound.ts';
import { pendingReport, type TransferReport } from '../transfers/transfer-report.ts';
import { requestedBytes } from '../transfers/transfer-target.ts';

type DataSource = NonNullable<NonNullable<PersistentVolumeClaim['spec']>['dataSource']>;

/**
 * The data source by which the CSI driver fills a claim itself, without a working claim: within a namespace, where the plan is that the driver
 * clones or restores, and the claim is as large as what is cloned. Undefined where that is not so.
 *
 * @param claim that is to be made
 * @throws WaitingError while the source is not there, not ready, or in use
 * @throws TerminalError where the source does not fit
 */
export async function driverSource(
  context: ControllerContext,
  claim: PersistentVolumeClaim,
  cloned: ClonedObject,
): Promise<DataSource | undefined> {
  if (cloned.key.namespace !== keyOf(claim).namespace) return undefined;
  const source = await readCloneSource(context, claim, cloned);
  requireRoom(source, claim);
  const consumer = await findConsumer(context, claim, source);
  const { cloneType } = planClone(gatherFacts(context, claim, source, consumer));
  const isDriven = cloneType === (cloned.kind === 'VolumeSnapshot' ? 'snapshot' : 'csi-clone');
  const request = requestedBytes(claim);
  // What it does with a larger one, and with the filesystem in it, is different with every driver.
  if (!isDriven || request > source.capacity || request < source.request) return undefined;
  const apiGroup = cloned.kind === 'VolumeSnapshot' ? { apiGroup: 'snapshot.storage.k8s.io' } : {};
  return { ...apiGroup, kind: cloned.kind, name: cloned.key.name };
}

/** How the driver fills a DataVolume's claim, where it does so itself. */
export function driverCloneType({ spec }: PersistentVolumeClaim): CloneType | undefined {
  switch (spec?.dataSource?.kind) {
    case 'PersistentVolumeClaim':
      return 'csi-clone';
    case 'VolumeSnapshot':
      return 'snapshot';
    default:
      return undefined;
  }
}

/** How it fares: nobody else tells on the claim. Undefined once it has been filled, or where it is not for the driver to fill. */
export async function driverReport(
  context: Pick<ControllerContext, 'client' | 'now'>,
  claim: PersistentVolumeClaim,
): Promise<TransferReport | undefined> {
  const cloneType = driverCloneType(claim);
  if (!cloneType || isBound(claim)) return undefined;
  const warning = await latestWarning(context, claim);
  const message = `${cloneType} into the claim itself${warning ? `: ${warning}` : ''}`;
  return pendingReport(0, { reason: warning ? 'ProvisioningFailed' : 'Provisioning', message });
}
