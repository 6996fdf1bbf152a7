import { stateAnnotation } from '../../../api/annotations.ts';
import { dataVolumeEventSource } from '../../../api/event-source.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { keyToString } from '../../../kube/key.ts';
import { dataVolumeOf } from '../../claims/data-volume-of.ts';
import { protectTarget } from '../../claims/population/protect-target.ts';
import { cloneBegunAnnotation, clonePlanAnnotation } from '../../objects/internal-annotations.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import { gatherFacts } from '../planner/facts.ts';
import { copiedBefore } from '../planner/incremental.ts';
import { type ClonePlan, planClone } from '../planner/planner.ts';
import { readsAllocated } from '../planner/reads-allocated.ts';
import { findConsumer } from '../source/reach.ts';
import { restoreSpecOf } from '../source/restore-class.ts';
import { type CloneSource, requireRoom } from '../source/source.ts';
import { strategyOf } from '../strategies/strategies.ts';
import { annotationsOf, type CloneState, stateInPhase } from './clone-state.ts';

/**
 * Plans a clone and, before anything is created, writes on the target claim its finalizer and the plan. After a crash,
 * the clone is resumed with that plan, whatever the configuration is by then. The first phase is reported in the same
 * write.
 *
 * @throws TerminalError CloneValidationFailed where the source does not fit
 * @throws WaitingError where a snapshot cannot be restored in order to be copied
 */
export async function beginClone(
  context: CloneContext,
  target: PersistentVolumeClaim,
  source: CloneSource,
): Promise<{ readonly plan: ClonePlan; readonly state: CloneState }> {
  requireRoom(source, target);
  const consumer = await findConsumer(context, target, source);
  const plan = planClone({
    ...gatherFacts(context, target, source, consumer),
    readsAllocatedOnly: await readsAllocated(context.changedBlocks, target, source),
    copiedBefore: await copiedBefore(context, target, source),
  });
  const { restoresInto } = strategyOf(plan.cloneType);
  // Such a snapshot has to be restored before it can be read; whether that is possible is checked before anything is
  // created.
  if (restoresInto === 'temporarySourceClaim' && source.kind === 'VolumeSnapshot') {
    restoreSpecOf(context.caches, source, target);
  }
  const { description, fallback } = plan;
  const state = stateInPhase(plan.phases[0] ?? 'Rebind', plan, { message: `reading ${keyToString(source.key)}` });
  await protectTarget(context, target, {
    ...annotationsOf(state, target, [[state.phase, context.now()]]),
    [cloneBegunAnnotation]: target.metadata?.uid ?? '',
    [clonePlanAnnotation]: description,
    ...(fallback ? { [stateAnnotation.cloneFallbackReason]: fallback.reason } : {}),
  });
  const dataVolume = dataVolumeOf(context.caches, target);
  // The DataVolume controller reports the phases of its clones, and the plan with the first of them.
  if (!dataVolume) {
    const message = `Cloning ${keyToString(source.key)}: ${description}`;
    context.events.event(target, { type: 'Normal', reason: 'CloneScheduled', message });
  }
  if (fallback) {
    const message = `Falling back to a host-assisted copy: ${fallback.message}`;
    const event = { type: 'Warning', reason: fallback.reason, message } as const;
    if (dataVolume) context.events.event(dataVolume, { ...event, component: dataVolumeEventSource('clone') });
    else context.events.event(target, event);
  }
  return { plan, state };
}
