import { stateAnnotation } from '../../../api/annotations.ts';
import type { ClonePhase, CloneType } from '../../../api/clone.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { phaseTimesAnnotation } from '../../objects/internal-annotations.ts';
import { reportAnnotations, type TransferReport } from '../../transfers/transfer-report.ts';
import { withPhase } from '../metrics/phase-times.ts';
import type { PhaseOutcome } from '../phases/phase.ts';
import type { ClonePlan } from '../planner/planner.ts';
import { strategyOf } from '../strategies/strategies.ts';
import type { WorkingPhase } from '../strategies/strategy.ts';

/** What is told about a clone on its target claim. */
export interface CloneState {
  readonly phase: ClonePhase;
  readonly cloneType?: CloneType | undefined;
  readonly report: TransferReport;
}

/** What of a plan a clone goes on by. */
export type BegunPlan = Pick<ClonePlan, 'cloneType' | 'description' | 'phases'>;

/** The target claim's annotations that tell a state. */
export function annotationsOf(state: CloneState, target: PersistentVolumeClaim, now: number): Record<string, string> {
  return {
    ...reportAnnotations(state.report),
    [stateAnnotation.clonePhase]: state.phase,
    [stateAnnotation.populatorKind]: 'VolumeCloneSource',
    [phaseTimesAnnotation]: withPhase(target.metadata?.annotations?.[phaseTimesAnnotation], state.phase, now),
    ...(state.cloneType ? { [stateAnnotation.cloneType]: state.cloneType } : {}),
    ...(state.phase === 'Succeeded' ? { [stateAnnotation.cloneOf]: 'true' } : {}),
  };
}

/** The state of a clone whose chain has come to a phase that is not complete. */
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
      message: `${plan.description}; step ${done + 1} of ${all}: ${message}`,
      // Of a copy the bytes tell more than the steps, which hardly take any time.
      progress:
        report?.progress ?? (strategyOf(plan.cloneType).byStorage ? `${((100 * done) / all).toFixed(2)}%` : 'N/A'),
    },
  };
}
