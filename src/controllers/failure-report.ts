import type { PersistentVolumeClaim } from '../kube/builtin-resources.ts';
import { TerminalError, WaitingError } from '../kube/errors.ts';
import { failedReport, pendingReport, readReport, type TransferReport } from './transfer-report.ts';

/**
 * What a reconciler's failure means for a claim: Failed for good, or Pending for a named thing. Undefined for other
 * errors, which are tried again and are no business of the claim's users.
 */
export function failureReport(claim: PersistentVolumeClaim, failure: Error): TransferReport | undefined {
  if (!(failure instanceof TerminalError || failure instanceof WaitingError)) return undefined;
  const restarts = readReport(claim.metadata?.annotations)?.restarts ?? 0;
  return failure instanceof TerminalError ? failedReport(restarts, failure) : pendingReport(restarts, failure);
}
