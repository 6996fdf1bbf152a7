import { stateAnnotation } from '../../../api/annotations.ts';
import { type VolumeCloneSource, volumeCloneSources } from '../../../api/volume-clone-source.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { Reconciler, Result } from '../../../kube/controller.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyOf, type ObjectKey } from '../../../kube/key.ts';
import { annotateClaim } from '../../claims/annotate-claim.ts';
import { isBound } from '../../claims/bound.ts';
import { removeCloneOfCdi } from '../../claims/population/clone-of-cdi.ts';
import { endPopulation } from '../../claims/population/end-population.ts';
import { populatedFrom } from '../../claims/population/populated-from.ts';
import { populationSource } from '../../claims/population/population-source.ts';
import { protectTarget } from '../../claims/population/protect-target.ts';
import { releaseTarget } from '../../claims/population/release-target.ts';
import { ProvisionerGrace } from '../../claims/provisioner-grace.ts';
import { promisedVolume, rebindVolume, requireNoVolume } from '../../claims/rebind/rebind-volume.ts';
import { mayBePopulatedNow } from '../../claims/wait-for-first-consumer.ts';
import { byTarget } from '../../objects/work-index.ts';
import { earlierOf } from '../../runtime/earlier-result.ts';
import { failureReport } from '../../transfers/failure-report.ts';
import { completedReport, readReport } from '../../transfers/transfer-report.ts';
import { requireAuthority } from '../grants/authority.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import { HANDING_OVER } from '../phases/rebind.ts';
import { begunWith } from '../planner/facts.ts';
import { type ClonedObject, requireSameObject } from '../source/cloned-object.ts';
import { readCloneSource } from '../source/read-source.ts';
import type { CloneSource, CloneSourceKind } from '../source/source.ts';
import { strategyOf } from '../strategies/strategies.ts';
import { temporaries, temporaryKeys } from '../strategies/temporaries.ts';
import { beginClone } from './begin.ts';
import { runChain } from './chain.ts';
import { annotationsOf, type BegunPlan, type CloneState, stateInPhase } from './clone-state.ts';
import { ReportedStates } from './reported-states.ts';

const FIELD_MANAGER = 'diskpress-clone-populator';

/** Fills claims whose dataSourceRef names a VolumeCloneSource, by a chain of phases that the planner chooses. */
export class ClonePopulatorReconciler implements Reconciler {
  readonly name = 'clone-populator';
  readonly #context: CloneContext;
  readonly #reported = new ReportedStates();
  readonly #grace: ProvisionerGrace;

  constructor(context: CloneContext) {
    this.#context = context;
    this.#grace = new ProvisionerGrace(context.caches, context.now);
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const target = this.#context.caches.claims.get(key);
    const cloneSourceName = target && populatedFrom(target, 'VolumeCloneSource');
    if (!target || cloneSourceName === undefined) return undefined;
    if (isBeingDeleted(target)) return releaseTarget(this.#context, target);
    const handingOver = promisedVolume(this.#context, target) !== undefined;
    if (handingOver) return this.#handOver(target, cloneSourceName);
    if (isBound(target)) return this.#finish(target);
    requireNoVolume(target);
    if (hasFailed(target)) return undefined;
    return this.#fill(target, cloneSourceName);
  }

  async failed(key: ObjectKey, failure: Error): Promise<void> {
    const target = this.#context.caches.claims.get(key);
    const report = target && failureReport(this.#context, target, failure);
    if (!target || !report) return;
    // The same wait fails again and again, but it is reported only once.
    if (readReport(target.metadata?.annotations)?.message !== report.message) {
      this.#context.events.event(target, { type: 'Warning', reason: report.reason, message: report.message });
    }
    await this.#report(target, {
      phase: report.podPhase === 'Failed' ? 'Error' : 'Pending',
      cloneType: begunWith(target),
      report,
    });
  }

  async #fill(target: PersistentVolumeClaim, cloneSourceName: string): Promise<Result> {
    const { caches } = this.#context;
    const cloned = await this.#sourceOf(target, cloneSourceName);
    const { kind, key } = cloned;
    const sourceUid = requireAuthority(caches, target, cloned, this.#context.now());
    requireSameObject(caches, cloned, sourceUid);
    if (!mayBePopulatedNow(target, caches)) return undefined;
    let source: Promise<CloneSource> | undefined;
    const read = () => (source ??= readCloneSource(this.#context, target, cloned));
    const resumed = await this.#resume(target, kind);
    const left = resumed ? 0 : this.#grace.left(target);
    if (left > 0) return { requeueAfter: left };
    if (!resumed) await removeCloneOfCdi(this.#context, target);
    const plan = resumed ?? (await this.#begin(target, await read()));
    const uid = target.metadata?.uid ?? '';
    const { namespace } = key;
    const stopped = await runChain(
      {
        context: this.#context,
        changedBlocks: this.#context.changedBlocks,
        target,
        plan,
        source: { kind, key, uid: sourceUid, read },
        ...temporaryKeys(namespace, uid),
      },
      plan.phases,
    );
    if (!stopped) return undefined;
    const { phase, outcome } = stopped;
    const state = stateInPhase(phase, plan, outcome);
    const isUrgent = outcome.trouble !== undefined || outcome.report !== undefined;
    const later = isUrgent ? await this.#report(target, state) : await this.#reportLasting(target, state);
    return earlierOf(later, outcome.after);
  }

  /**
   * Returns the plan that a clone was begun with. The claim's author could have written it, too, without the finalizer
   * that protects the claim until everything is removed, so the finalizer is ensured here.
   */
  async #resume(target: PersistentVolumeClaim, kind: CloneSourceKind): Promise<BegunPlan | undefined> {
    const plan = resumedPlan(target, kind);
    if (plan) await protectTarget(this.#context, target);
    return plan;
  }

  async #begin(target: PersistentVolumeClaim, source: CloneSource): Promise<BegunPlan> {
    const { plan, state } = await beginClone(this.#context, target, source);
    this.#reported.note(target, state, this.#context.now());
    return plan;
  }

  /**
   * Continues a rebind. The data is complete and the working claim may be gone, so the earlier phases must not run
   * again.
   */
  async #handOver(target: PersistentVolumeClaim, cloneSourceName: string): Promise<Result> {
    const name = temporaries.workingClaim.name(target.metadata?.uid ?? '');
    const temporary = this.#context.caches.claims.byIndex(byTarget, target.metadata?.uid ?? '');
    const working = temporary.find((claim) => claim.metadata?.name === name);
    const workingKey = { namespace: keyOf(working ?? target).namespace, name };
    const outcome = await rebindVolume(this.#context, target, workingKey);
    if (outcome === 'done') return this.#finish(target);
    // The VolumeCloneSource may be gone, too; without it only the number of steps is unknown.
    const cloneSource = this.#context.caches.cloneSources.get({ ...keyOf(target), name: cloneSourceName });
    const plan = resumedPlan(target, kindOf(cloneSource));
    const later = plan && (await this.#reportLasting(target, stateInPhase('Rebind', plan, { message: HANDING_OVER })));
    return earlierOf(later, outcome.after);
  }

  async #finish(target: PersistentVolumeClaim): Promise<Result> {
    const result = await endPopulation(this.#context, target, () => {
      const annotations = this.#annotationsOf(target, {
        phase: 'Succeeded',
        cloneType: begunWith(target),
        report: completedReport(0, 'Clone Complete'),
      });
      // Phases that were not worth a write are counted, too.
      const { metadata } = target;
      const complete = {
        ...target,
        metadata: { ...metadata, annotations: { ...metadata?.annotations, ...annotations } },
      };
      this.#context.cloneCount.handedOver(complete, this.#context.now());
      return annotations;
    });
    if (!result) this.#reported.forget(target);
    return result;
  }

  async #sourceOf(target: PersistentVolumeClaim, name: string): Promise<ClonedObject> {
    const { namespace } = keyOf(target);
    const cloneSource = await populationSource(this.#context.client, {
      resource: volumeCloneSources,
      cache: this.#context.caches.cloneSources,
      key: { namespace, name },
      work: 'clone',
    });
    return {
      kind: kindOf(cloneSource),
      key: {
        namespace: cloneSource.metadata.annotations?.[stateAnnotation.dataSourceNamespace] ?? namespace,
        name: cloneSource.spec.source.name,
      },
    };
  }

  async #report(target: PersistentVolumeClaim, state: CloneState): Promise<undefined> {
    await annotateClaim(this.#context.client, target, FIELD_MANAGER, this.#annotationsOf(target, state));
    this.#reported.note(target, state, this.#context.now());
  }

  /**
   * Reports a state whose phase has lasted for a moment.
   *
   * @returns the milliseconds after which to look again, where it has not
   */
  async #reportLasting(target: PersistentVolumeClaim, state: CloneState): Promise<number | undefined> {
    const later = this.#reported.untilWorthReporting(target, state, this.#context.now());
    return later > 0 ? later : this.#report(target, state);
  }

  #annotationsOf(target: PersistentVolumeClaim, state: CloneState): Record<string, string> {
    return annotationsOf(state, target, [...this.#reported.times(target), [state.phase, this.#context.now()]]);
  }
}

/** An error of CDI, which writes no phase of a pod, is one that passes. */
function hasFailed({ metadata }: PersistentVolumeClaim): boolean {
  const isError = metadata?.annotations?.[stateAnnotation.clonePhase] === 'Error';
  return isError && readReport(metadata.annotations)?.podPhase === 'Failed';
}

function kindOf(cloneSource: VolumeCloneSource | undefined): CloneSourceKind {
  return cloneSource?.spec.source.kind === 'VolumeSnapshot' ? 'VolumeSnapshot' : 'PersistentVolumeClaim';
}

/** Returns the plan that a clone was begun with; undefined where it has not begun. */
function resumedPlan(target: PersistentVolumeClaim, kind: CloneSourceKind): BegunPlan | undefined {
  const cloneType = begunWith(target);
  if (!cloneType) return undefined;
  return { cloneType, phases: strategyOf(cloneType).phases[kind] };
}
