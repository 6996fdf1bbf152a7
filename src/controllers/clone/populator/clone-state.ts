import { stateAnnotation } from '../../../api/annotations.ts';
import type { ClonePhase, CloneType } from '../../../api/clone.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { phaseTimesAnnotation } from '../../objects/internal-annotations.ts';
import { reportAnnotations, type TransferReport } from '../../transfers/transfer-report.ts';
import { type PhaseTimes, withPhases } from '../metrics/phase-times.ts';
import type { PhaseOutcome } from '../phases/phase.ts';
import type { ClonePlan } from '../planner/planner.ts';
import { stepMessage } from '../planner/step-message.ts';
import { strategyOf } from '../strategies/strategies.ts';
import type { WorkingPhase } from '../strategies/strategy.ts';

/** The state of a clone that is reported on its target claim. */
export interface CloneState {
  readonly phase: ClonePhase;
  readonly cloneType?: CloneType | undefined;
  readonly report: TransferReport;
}

/** The part of a plan with which a clone is resumed. */
export type BegunPlan = Pick<ClonePlan, 'cloneType' | 'phases'>;

/**
 * Returns the annotations of the target claim that report a state.
 *
 * @param times of the phases that the clone was seen in, the latest of which is the state's
 */
export function annotationsOf(
  state: CloneState,
  target: PersistentVolumeClaim,
  times: PhaseTimes,
): Record<string, string> {
  return {
    ...reportAnnotations(state.report),
    [stateAnnotation.clonePhase]: state.phase,
    [stateAnnotation.populatorKind]: 'VolumeCloneSource',
    [phaseTimesAnnotation]: withPhases(target.metadata?.annotations?.[phaseTimesAnnotation], times),
    ...(state.cloneType ? { [stateAnnotation.cloneType]: state.cloneType } : {}),
    ...(state.phase === 'Succeeded' ? { [stateAnnotation.cloneOf]: 'true' } : {}),
  };
}

/** Returns the state of a clone whose chain has reached a phase that is not complete. */
export function stateInPhase(
  phase: WorkingPhase,
  plan: BegunPlan,
  { message, trouble, report }: Exclude<PhaseOutcome, 'complete'>,
): CloneState {
  const [done, all] = [plan.phases.indexOf(phase), plan.phases.length];
  return {
    phase,
    cloneType: plan.cloneType,
    report: {
      podPhase: report?.podPhase === 'Running' ? 'Running' : 'Pending',
      restarts: report?.restarts ?? 0,
      running: trouble === undefined || report?.running === true,
      reason: trouble ?? phase,
      message: stepMessage(done + 1, all, message),
      // The progress of a copy is that of its bytes, because the other steps take hardly any time.
      progress:
        report?.progress ?? (strategyOf(plan.cloneType).byStorage ? `${((100 * done) / all).toFixed(2)}%` : 'N/A'),
    },
  };
}
