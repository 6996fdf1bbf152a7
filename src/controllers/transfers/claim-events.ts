import { controllerOf } from '../../kube/apply.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { workForAnnotation } from '../objects/internal-annotations.ts';
import type { TransferWords } from './transfer-kind.ts';
import { readReport, type TransferReport, troubleIn } from './transfer-report.ts';
import { pausedMessage } from './transfer-stages.ts';

/**
 * Records an event on a claim about how a transfer into it has ended, or what prevents it: once, when that changes. The
 * claim of a DataVolume only gets the failure, because the DataVolume has the other events; a working claim gets none,
 * because its target claim has them.
 *
 * @param report the report that is about to be written to the claim
 */
export function reportOnClaim(
  events: EventRecorder,
  claim: PersistentVolumeClaim,
  report: TransferReport,
  words: Omit<TransferWords, 'completed'>,
): void {
  const { annotations, name } = claim.metadata ?? {};
  if (annotations?.[workForAnnotation] !== undefined) return;
  if (controllerOf(claim)?.kind === 'DataVolume' && report.podPhase !== 'Failed') return;
  const recorded = readReport(annotations);
  if (recorded?.podPhase === report.podPhase && recorded.reason === report.reason) return;
  if (report.podPhase === 'Succeeded') {
    events.event(claim, { type: 'Normal', reason: words.succeededReason, message: `${words.succeeded} ${name}` });
    return;
  }
  if (report.podPhase === 'Paused') {
    events.event(claim, { type: 'Normal', reason: report.reason, message: pausedMessage(name ?? '') });
    return;
  }
  const trouble = troubleIn(report);
  if (!trouble || trouble === 'ScratchRequired' || report.podPhase === 'Running') return;
  const reason = report.podPhase === 'Failed' && !trouble.startsWith('Err') ? words.failedReason : trouble;
  events.event(claim, { type: 'Warning', reason, message: report.message });
}
