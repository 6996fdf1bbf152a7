import { stateAnnotation } from '../../api/annotations.ts';
import type { ClonePhase, CloneType } from '../../api/clone.ts';
import { dataVolumeEventSource } from '../../api/event-reasons.ts';
import { temporaryClaimName, temporarySnapshotName, temporarySourceClaimName } from '../../api/object-names.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { Outcome, Reconciler } from '../../kube/controller.ts';
import { WaitingError } from '../../kube/errors.ts';
import type { Key } from '../../kube/key.ts';
import { annotateClaim } from '../annotate-claim.ts';
import type { ControllerContext } from '../context.ts';
import { failureReport } from '../failure-report.ts';
import { isBound } from '../populator/bound.ts';
import { holdTarget, letTargetGo, populatedFrom } from '../populator/population.ts';
import { promisedVolume, rebindVolume } from '../populator/rebind-volume.ts';
import { completedReport, reportAnnotations, type TransferReport } from '../transfer-report.ts';
import { mayBePopulatedNow } from '../wait-for-first-consumer.ts';
import { requireAuthority } from './authority.ts';
import { runChain } from './chain.ts';
import { begunWith, gatherFacts } from './facts.ts';
import { planClone, type ClonePlan } from './planner.ts';
import { gatherSource, requireRoom, requireUnused, type CloneSource } from './source.ts';

const FIELD_MANAGER = 'diskpress-clone-populator';
/** The same at each step of it: they follow each other too fast for anybody to read, and each would be a write. */
const HANDING_OVER = 'the volume is being handed to the claim';

/** What is told about a clone on its target claim. */
interface CloneState {
  readonly phase: ClonePhase;
  readonly cloneType?: CloneType | undefined;
  readonly fallbackReason?: string | undefined;
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
    const uid = target.metadata?.uid ?? '';
    const handingOver = promisedVolume(this.#context, target) !== undefined;
    if (target.metadata?.deletionTimestamp) return letTargetGo(this.#context, target);
    if (isBound(target) && !handingOver) return this.#finish(target);
    if (target.metadata?.annotations?.[stateAnnotation.clonePhase] === 'Error') return undefined;

    const { kind, key: sourceKey } = this.#sourceOf(target, cloneSourceName);
    const workingClaim = { namespace: sourceKey.namespace, name: temporaryClaimName(uid) };
    if (handingOver) {
      // The data is complete and the working claim may be gone: what comes before must not run again.
      await rebindVolume(this.#context, target, workingClaim);
      await this.#tell(target, inPhase('Rebind', begunWith(target), HANDING_OVER));
      return undefined;
    }
    requireAuthority(this.#context.caches, target, kind, sourceKey);
    if (!mayBePopulatedNow(target, this.#context.caches)) return undefined;

    const source = gatherSource(this.#context.caches, kind, sourceKey);
    const facts = gatherFacts(this.#context, target, source);
    const plan = planClone(facts);
    if (begunWith(target) === undefined) await this.#begin(target, source, plan);
    const stopped = await runChain(
      {
        context: this.#context,
        target,
        source,
        plan,
        workingClaim,
        temporarySnapshot: { namespace: sourceKey.namespace, name: temporarySnapshotName(uid) },
        temporarySourceClaim: { namespace: sourceKey.namespace, name: temporarySourceClaimName(uid) },
        snapshotClass: facts.snapshotClass,
      },
      plan.phases,
    );
    if (!stopped) return undefined;
    const { phase, outcome } = stopped;
    const message = phase === 'Rebind' ? HANDING_OVER : `${plan.description}: ${outcome.message}`;
    await this.#tell(target, inPhase(phase, plan.cloneType, message, outcome.report));
    return outcome.after === undefined ? undefined : { requeueAfter: outcome.after };
  }

  async failed(key: Key, failure: Error): Promise<void> {
    const target = this.#context.caches.claims.get(key);
    const report = target && failureReport(target, failure);
    if (!target || !report) return;
    this.#context.events.event(target, { type: 'Warning', reason: report.reason, message: report.message });
    await this.#tell(target, {
      phase: report.podPhase === 'Failed' ? 'Error' : 'Pending',
      cloneType: begunWith(target),
      report,
    });
  }

  async #begin(target: PersistentVolumeClaim, source: CloneSource, plan: ClonePlan): Promise<void> {
    requireRoom(source, target);
    requireUnused(this.#context.caches, source);
    await holdTarget(this.#context, target);
    if (!plan.fallback) return;
    const { reason, message } = plan.fallback;
    const warning = { type: 'Warning', reason, message: `Falling back to a host-assisted copy: ${message}` } as const;
    const owner = target.metadata?.ownerReferences?.find((reference) => reference.kind === 'DataVolume');
    const dataVolume =
      owner && this.#context.caches.dataVolumes.get({ namespace: target.metadata?.namespace ?? '', name: owner.name });
    this.#context.events.event(target, warning);
    if (dataVolume) {
      this.#context.events.event(dataVolume, { ...warning, component: dataVolumeEventSource('clone') });
    }
    await annotateClaim(this.#context.client, target, `${FIELD_MANAGER}-fallback`, {
      [stateAnnotation.cloneFallbackReason]: reason,
    });
  }

  async #finish(target: PersistentVolumeClaim): Promise<Outcome> {
    const state: CloneState = {
      phase: 'Succeeded',
      cloneType: begunWith(target),
      report: completedReport(0, 'Clone Complete'),
    };
    return letTargetGo(this.#context, target, annotationsOf(state));
  }

  #sourceOf(target: PersistentVolumeClaim, name: string): { kind: CloneSource['kind']; key: Key } {
    const namespace = target.metadata?.namespace ?? '';
    const cloneSource = this.#context.caches.cloneSources.get({ namespace, name });
    if (!cloneSource) {
      throw new WaitingError(
        'NotFound',
        `VolumeCloneSource "${name}" does not exist in namespace "${namespace}"; create it, and the clone starts`,
      );
    }
    const { kind, name: sourceName } = cloneSource.spec.source;
    return {
      kind: kind === 'VolumeSnapshot' ? 'VolumeSnapshot' : 'PersistentVolumeClaim',
      key: {
        namespace: cloneSource.metadata.annotations?.[stateAnnotation.dataSourceNamespace] ?? namespace,
        name: sourceName,
      },
    };
  }

  async #tell(target: PersistentVolumeClaim, state: CloneState): Promise<void> {
    await annotateClaim(this.#context.client, target, FIELD_MANAGER, annotationsOf(state));
  }
}

function annotationsOf(state: CloneState): Record<string, string> {
  return {
    ...reportAnnotations(state.report),
    [stateAnnotation.clonePhase]: state.phase,
    [stateAnnotation.populatorKind]: 'VolumeCloneSource',
    ...(state.cloneType ? { [stateAnnotation.cloneType]: state.cloneType } : {}),
    ...(state.phase === 'Succeeded' ? { [stateAnnotation.cloneOf]: 'true' } : {}),
  };
}

function inPhase(
  phase: ClonePhase,
  cloneType: CloneType | undefined,
  message: string,
  report?: TransferReport,
): CloneState {
  return {
    phase,
    cloneType,
    report: {
      podPhase: report?.podPhase === 'Running' ? 'Running' : 'Pending',
      restarts: report?.restarts ?? 0,
      running: true,
      reason: phase,
      message,
      progress: report?.progress ?? 'N/A',
    },
  };
}
