import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { TerminalError, WaitingError } from '../../kube/errors.ts';
import { isAwaitingProvisioner } from '../claims/awaiting-provisioner.ts';
import type { Caches } from '../runtime/caches.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { failedReport, pendingReport, readReport, type TransferReport } from './transfer-report.ts';

/** Age below which a claim may still lack its CloneGrant, which is created along with it. */
const GRANTING_MILLISECONDS = 9_000;

/** The second is that of a conflict, too, which the volume controller overcomes by itself. */
const PROVISIONING_REASONS: readonly string[] = ['Provisioning', 'ProvisioningFailed'];

type FailureContext = Pick<ControllerContext, 'now'> & { readonly caches: Pick<Caches, 'storageClasses'> };

/**
 * Returns the report of a reconciler's failure on a claim: Failed permanently, or Pending because of something named.
 * It is undefined for other errors, which are retried and do not concern the claim's users, and for a claim that is
 * just about to be provisioned or granted.
 */
export function failureReport(
  context: FailureContext,
  claim: PersistentVolumeClaim,
  failure: Error,
): TransferReport | undefined {
  const { caches } = context;
  const now = context.now();
  if (!(failure instanceof TerminalError || failure instanceof WaitingError)) return undefined;
  if (PROVISIONING_REASONS.includes(failure.reason) && isAwaitingProvisioner(claim, caches, now)) return undefined;
  if (failure.reason === 'CloneNotGranted' && isNew(claim, now)) return undefined;
  const restarts = readReport(claim.metadata?.annotations)?.restarts ?? 0;
  return failure instanceof TerminalError ? failedReport(restarts, failure) : pendingReport(restarts, failure);
}

function isNew({ metadata }: PersistentVolumeClaim, now: number): boolean {
  return now - Date.parse(metadata?.creationTimestamp ?? '') < GRANTING_MILLISECONDS;
}
