import type { CloneType } from '../../api/clone.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { keyOf } from '../../kube/key.ts';
import { isBound } from '../claims/bound.ts';
import { gatherFacts } from '../clone/planner/facts.ts';
import { planClone } from '../clone/planner/planner.ts';
import type { ClonedObject } from '../clone/source/cloned-object.ts';
import { findConsumer } from '../clone/source/reach.ts';
import { readCloneSource } from '../clone/source/read-source.ts';
import { requireRoom } from '../clone/source/source.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { latestWarning } from '../runtime/latest-warning.ts';
import { pendingReport, type TransferReport } from '../transfers/transfer-report.ts';
import { requestedBytes } from '../transfers/transfer-target.ts';

type DataSource = NonNullable<NonNullable<PersistentVolumeClaim['spec']>['dataSource']>;

/**
 * Returns the data source from which the CSI driver fills a claim by itself, without a working claim. This works only
 * within a namespace, where the plan is a clone or a restore by the driver and the claim has the size of the source;
 * otherwise the result is undefined.
 *
 * @param claim that will be created
 * @throws WaitingError while the source does not exist, is not ready, or is in use
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
  // What drivers do with a larger claim, and with the filesystem in it, differs from one to the next.
  if (!isDriven || request > source.capacity || request < source.request) return undefined;
  const apiGroup = cloned.kind === 'VolumeSnapshot' ? { apiGroup: 'snapshot.storage.k8s.io' } : {};
  return { ...apiGroup, kind: cloned.kind, name: cloned.key.name };
}

/** Returns how the driver fills a DataVolume's claim; undefined where a populator or a pod does that. */
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

/**
 * Returns a report on the driver's work, because no other controller writes one on the claim. The result is undefined
 * once the claim is bound, or where the driver does not fill it.
 */
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
