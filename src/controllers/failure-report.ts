import type { PersistentVolumeClaim } from '../kube/builtin-resources.ts';
import { TerminalError, WaitingError } from '../kube/errors.ts';
import { readReport, type TransferReport } from './transfer-report.ts';

/**
 * What a reconciler's failure means for a claim: Failed for good, or Pending for a named thing. Undefined for other
 * errors, which are tried again and are no business of the claim's users.
 */
export function failureReport(claim: PersistentVolumeClaim, failure: Error): TransferReport | undefined {
  if (!(failure instanceof TerminalError || failure instanceof WaitingError)) return undefined;
  return {
    podPhase: failure instanceof TerminalError ? 'Failed' : 'Pending',
    restarts: readReport(claim.metadata?.annotations)?.restarts ?? 0,
    running: false,
    reason: failure.reason,
    message: failure.message,
    progress: 'N/A',
  };
}
