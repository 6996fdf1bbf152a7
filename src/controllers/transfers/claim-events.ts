import { controllerOf } from '../../kube/apply.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { workForAnnotation } from '../objects/internal-annotations.ts';
import { readReport, troubleIn, type TransferReport } from './transfer-report.ts';

/**
 * Tells on a claim, as an event, how an import into it has ended or what is in its way: once, when it comes up. Of a DataVolume's claim only
 * that it has failed, as the DataVolume tells the rest; of a working claim nothing, as the claim that it is for does.
 *
 * @param report what is about to be written on the claim
 */
export function tellOnClaim(events: EventRecorder, claim: PersistentVolumeClaim, report: TransferReport): void {
  const { annotations, name } = claim.metadata ?? {};
  if (annotations?.[workForAnnotation] !== undefined) return;
  if (controllerOf(claim)?.kind === 'DataVolume' && report.podPhase !== 'Failed') return;
  const recorded = readReport(annotations);
  if (recorded?.podPhase === report.podPhase && recorded.reason === report.reason) return;
  if (report.podPhase === 'Succeeded') {
    events.event(claim, {
      type: 'Normal',
      reason: 'ImportSucceeded',
      message: `Successfully imported into PVC ${name}`,
    });
    return;
  }
  const trouble = troubleIn(report);
  if (!trouble || trouble === 'ScratchRequired' || report.podPhase === 'Running') return;
  const reason = report.podPhase === 'Failed' && !trouble.startsWith('Err') ? 'ImportFailed' : trouble;
  events.event(claim, { type: 'Warning', reason, message: report.message });
}
