import { stateAnnotation } from '../../api/annotations.ts';
import type { ClonePhase, CloneType } from '../../api/clone.ts';
import type { VolumeCloneSource } from '../../api/volume-clone-source.ts';
import { temporaryClaimName, temporarySnapshotName, temporarySourceClaimName } from '../../api/object-names.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { Outcome, Reconciler } from '../../kube/controller.ts';
import { WaitingError } from '../../kube/errors.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import { keyOf, type Key } from '../../kube/key.ts';
import { annotateClaim } from '../annotate-claim.ts';
import { BY_TARGET } from '../caches.ts';
import type { ControllerContext } from '../context.ts';
import { failureReport } from '../failure-report.ts';
import { clonePlanAnnotation, phaseTimesAnnotation } from '../internal-annotations.ts';
import { isBound } from '../populator/bound.ts';
import { letTargetGo, populatedFrom } from '../populator/population.ts';
import { promisedVolume, rebindVolume } from '../populator/rebind-volume.ts';
import { completedReport, readReport, reportAnnotations, type TransferReport } from '../transfer-report.ts';
import { mayBePopulatedNow } from '../wait-for-first-consumer.ts';
import { requireAuthority } from './authority.ts';
import { beginClone } from './begin.ts';
import { runChain } from './chain.ts';
import { begunWith } from './facts.ts';
import { withPhase } from './phase-times.ts';
import type { PhaseOutcome } from './phases/phase.ts';
import { HANDING_OVER } from './phases/rebind.ts';
import { phasesOf, type ClonePlan, type WorkingPhase } from './planner.ts';
import { readCloneSource } from './read-source.ts';
import type { CloneSource, CloneSourceKind } from './source.ts';

const FIELD_MANAGER = 'diskpress-clone-populator';

/** What is told about a clone on its target claim. */
interface CloneState {
  readonly phase: ClonePhase;
  readonly cloneType?: CloneType | undefined;
  readonly report: TransferReport;
}

/** Fills claims whose dataSourceRef names a VolumeCloneSource, by a chain of phases that the planner chooses. */
export class ClonePopulatorReconciler implements Reconciler {
  readonly name = 'clone-populator';
  readonly #context: ControllerContext;

  constructor(context: ControllerContext) {
    this.#context = context;
  }

  async reconcile(key: Key): Promise<Outcome> {
    const target = this.#context.caches.claims.get(key);
    const cloneSourceName = target && populatedFrom(target, 'VolumeCloneSource');
    if (!target || cloneSourceName === undefined) return undefined;
    if (isBeingDeleted(target)) return letTargetGo(this.#context, target);
    const handingOver = promisedVolume(this.#context, target) !== undefined;
    if (handingOver) return this.#handOver(target, cloneSourceName);
    if (isBound(target)) return this.#finish(target);
    if (target.metadata?.annotations?.[stateAnnotation.clonePhase] === 'Error') return undefined;
    return this.#fill(target, cloneSourceName);
  }

  async failed(key: Key, failure: Error): Promise<void> {
    const target = this.#context.caches.claims.get(key);
    const report = target && failureReport(target, failure);
    if (!target || !report) return;
    // Waiting is looked at again and again; it is told once.
    if (readReport(target.metadata?.annotations)?.message !== report.message) {
      this.#context.events.event(target, { type: 'Warning', reason: report.reason, message: report.message });
    }
    await this.#tell(target, {
      phase: report.podPhase === 'Failed' ? 'Error' : 'Pending',
      cloneType: begunWith(target),
      report,
    });
  }

  async #fill(target: PersistentVolumeClaim, cloneSourceName: string): Promise<Outcome> {
    const { caches } = this.#context;
    const { kind, key } = this.#sourceOf(target, cloneSourceName);
    requireAuthority(caches, target, kind, key);
    if (!mayBePopulatedNow(target, caches)) return undefined;
    let source: Promise<CloneSource> | undefined;
    const read = () => (source ??= readCloneSource(this.#context, target, kind, key));
    const plan = resumedPlan(target, kind) ?? (await beginClone(this.#context, target, await read()));
    const uid = target.metadata?.uid ?? '';
    const { namespace } = key;
    const stopped = await runChain(
      {
        context: this.#context,
        target,
        plan,
        source: { kind, key, read },
        workingClaim: { namespace, name: temporaryClaimName(uid) },
        temporarySnapshot: { namespace, name: temporarySnapshotName(uid) },
        temporarySourceClaim: { namespace, name: temporarySourceClaimName(uid) },
      },
      plan.phases,
    );
    if (!stopped) return undefined;
    const { phase, outcome } = stopped;
    await this.#tell(target, inPhase(phase, plan, outcome));
    return outcome.after === undefined ? undefined : { requeueAfter: outcome.after };
  }

  /** The data is complete and the working claim may be gone: what comes before must not run again. */
  async #handOver(target: PersistentVolumeClaim, cloneSourceName: string): Promise<Outcome> {
    const name = temporaryClaimName(target.metadata?.uid ?? '');
    const temporary = this.#context.caches.claims.byIndex(BY_TARGET, target.metadata?.uid ?? '');
    const working = temporary.find((claim) => claim.metadata?.name === name);
    await rebindVolume(this.#context, target, { namespace: keyOf(working ?? target).namespace, name });
    // The object that says what was cloned may be gone, too; all that is lost then is the number of steps.
    const cloneSource = this.#context.caches.cloneSources.get({ ...keyOf(target), name: cloneSourceName });
    const plan = resumedPlan(target, kindOf(cloneSource));
    if (plan) await this.#tell(target, inPhase('Rebind', plan, { message: HANDING_OVER }));
    return undefined;
  }

  async #finish(target: PersistentVolumeClaim): Promise<Outcome> {
    const state: CloneState = {
      phase: 'Succeeded',
      cloneType: begunWith(target),
      report: completedReport(0, 'Clone Complete'),
    };
    return letTargetGo(this.#context, target, annotationsOf(state, target, this.#context.now()));
  }

  #sourceOf(target: PersistentVolumeClaim, name: string): { kind: CloneSourceKind; key: Key } {
    const { namespace } = keyOf(target);
    const cloneSource = this.#context.caches.cloneSources.get({ namespace, name });
    if (!cloneSource) {
      throw new WaitingError(
        'NotFound',
        `VolumeCloneSource "${name}" does not exist in namespace "${namespace}"; create it, and the clone starts`,
      );
    }
    return {
      kind: kindOf(cloneSource),
      key: {
        namespace: cloneSource.metadata.annotations?.[stateAnnotation.dataSourceNamespace] ?? namespace,
        name: cloneSource.spec.source.name,
      },
    };
  }

  async #tell(target: PersistentVolumeClaim, state: CloneState): Promise<void> {
    await annotateClaim(this.#context.client, target, FIELD_MANAGER, annotationsOf(state, target, this.#context.now()));
  }
}

function kindOf(cloneSource: VolumeCloneSource | undefined): CloneSourceKind {
  return cloneSource?.spec.source.kind === 'VolumeSnapshot' ? 'VolumeSnapshot' : 'PersistentVolumeClaim';
}

function annotationsOf(state: CloneState, target: PersistentVolumeClaim, now: number): Record<string, string> {
  return {
    ...reportAnnotations(state.report),
    [stateAnnotation.clonePhase]: state.phase,
    [stateAnnotation.populatorKind]: 'VolumeCloneSource',
    [phaseTimesAnnotation]: withPhase(target.metadata?.annotations?.[phaseTimesAnnotation], state.phase, now),
    ...(state.cloneType ? { [stateAnnotation.cloneType]: state.cloneType } : {}),
    ...(state.phase === 'Succeeded' ? { [stateAnnotation.cloneOf]: 'true' } : {}),
  };
}

type BegunPlan = Pick<ClonePlan, 'cloneType' | 'description' | 'phases'>;

/** The plan that a clone was begun with; undefined where it has not been begun. */
function resumedPlan(target: PersistentVolumeClaim, kind: CloneSourceKind): BegunPlan | undefined {
  const cloneType = begunWith(target);
  if (!cloneType) return undefined;
  const description = target.metadata?.annotations?.[clonePlanAnnotation] ?? cloneType;
  return { cloneType, description, phases: phasesOf(cloneType, kind) };
}

function inPhase(
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
      progress: report?.progress ?? (plan.cloneType === 'copy' ? 'N/A' : `${((100 * done) / all).toFixed(2)}%`),
    },
  };
}
