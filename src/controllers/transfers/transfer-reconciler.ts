import { stateAnnotation } from '../../api/annotations.ts';
import { ownerReference } from '../../kube/apply.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims, type Pod, pods } from '../../kube/builtin-resources.ts';
import type { Reconciler, Result } from '../../kube/controller.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import { keyOf, keyToString, type ObjectKey } from '../../kube/key.ts';
import { annotateClaim } from '../claims/annotate-claim.ts';
import { isPodRetained } from '../claims/pod-retention.ts';
import { requireVolume } from '../claims/require-volume.ts';
import { mayBePopulatedNow } from '../claims/wait-for-first-consumer.ts';
import { openTransferAnnotation, transferCheckpointAnnotation } from '../objects/internal-annotations.ts';
import { isMadeFor } from '../objects/made-for.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { labelClaim, libraryAnnotations, warnOfSize } from './after-success.ts';
import { awaitedIn } from './awaited-object.ts';
import { reportOnClaim } from './claim-events.ts';
import { createTransferPod } from './create-transfer-pod.ts';
import { podOwner } from './known-claim.ts';
import { judgePod, type PodVerdict } from './pod-verdict.ts';
import { judgePredecessor, predecessorOf, predecessorsOf } from './predecessor.ts';
import { explainReadOnly } from './read-only-claim.ts';
import { untilReadyAgain } from './ready-interval.ts';
import { ReportTiming } from './report-timing.ts';
import { makeScratchClaim, removeScratchClaim } from './scratch-claim.ts';
import { TransferFollower, type UnfinishedVerdict } from './transfer-follower.ts';
import type { TransferKind, TransferOperation } from './transfer-kind.ts';
import { type TransferMetrics, type TransferOfPod, volumeBytes } from './transfer-metrics.ts';
import { recordStage } from './transfer-record.ts';
import {
  completedReport,
  pausedReport,
  pendingReport,
  readReport,
  reportAnnotations,
  type TransferReport,
} from './transfer-report.ts';
import type { TransferStages } from './transfer-stages.ts';

/** Where a cache is late, and what it gets may wake nobody. */
const LOOK_AGAIN_MILLISECONDS = 500;

type NextStage = NonNullable<ReturnType<TransferStages['next']>>;
type SuccessfulResult = Extract<PodVerdict, { state: 'succeeded' }>['result'];

/** Runs a pod for each claim that requests a kind of transfer, and reports its state on the claim. */
export class TransferReconciler<Request extends { readonly scratch: boolean }> implements Reconciler {
  readonly name: string;
  readonly #kind: TransferKind<Request>;
  readonly #operation: TransferOperation<Request>;
  readonly #context: ControllerContext;
  readonly #follower: TransferFollower;
  readonly #timing: ReportTiming;
  readonly #metrics: TransferMetrics | undefined;

  constructor(
    kind: TransferKind<Request>,
    operation: TransferOperation<Request>,
    context: ControllerContext,
    metrics?: TransferMetrics,
  ) {
    this.name = kind.name;
    this.#kind = kind;
    this.#operation = operation;
    this.#context = context;
    this.#follower = new TransferFollower(context);
    this.#timing = new ReportTiming(context.caches, context.now);
    this.#metrics = metrics;
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    return this.#timing.orPostponed(key, () => this.#reconcile(key));
  }

  async #reconcile(key: ObjectKey): Promise<Result> {
    const { caches } = this.#context;
    const claim = caches.claims.get(key);
    if (!claim || !this.#kind.isRequested(claim)) return undefined;
    if (isBeingDeleted(claim)) return this.#letGo(claim);
    const report = readReport(claim.metadata?.annotations);
    if (report?.podPhase === 'Succeeded') return this.#cleanUp(claim);
    const next = this.#operation.stages?.next(claim);
    const pod = next ? this.#operation.stages?.podAtWork(claim) : this.#pod(claim);
    if (report?.podPhase === 'Failed') return next ? this.#proceed(claim, next, pod) : this.#endUnstarted(pod);
    if (pod) return isBeingDeleted(pod) ? undefined : this.#follow(claim, pod);
    const predecessor = predecessorOf(caches, claim, this.#operation.stages?.countedOf(claim));
    if (predecessor) return this.#succeed(claim, predecessor);
    return next ? this.#proceed(claim, next) : this.#start(claim, report?.restarts ?? 0);
  }

  /** Returns the claim's own pod, and none that worked for an earlier claim of its name, or that others created. */
  #pod(claim: PersistentVolumeClaim): Pod | undefined {
    const { namespace } = keyOf(claim);
    const pod = this.#context.caches.pods.get({ namespace, name: this.#kind.podName(claim) });
    return pod && isMadeFor(pod, claim.metadata?.uid) ? pod : undefined;
  }

  /** Takes over from a pod of CDI that writes the claim. */
  async #succeed(claim: PersistentVolumeClaim, pod: Pod): Promise<Result> {
    const { result, report } = judgePredecessor(pod, this.#kind.outlivesCdi);
    if (result) return this.#complete(claim, pod, result, 0);
    await this.#tell(claim, report);
    if (!report.running && !isBeingDeleted(pod)) await this.#deletePod(pod);
    return undefined;
  }

  /** Returns all pods that were created for the claim. */
  #pods(claim: PersistentVolumeClaim): readonly Pod[] {
    const pod = this.#pod(claim);
    return [...new Set([...(pod ? [pod] : []), ...(this.#operation.stages?.podsOf(claim) ?? [])])];
  }

  /**
   * Begins the next stage of a claim on which no pod is at work.
   *
   * @param failed the pod of a stage that has failed permanently, instead of which the plan has another one now
   */
  async #proceed(claim: PersistentVolumeClaim, next: NextStage, failed?: Pod): Promise<Result> {
    const { client } = this.#context;
    const report = readReport(claim.metadata?.annotations);
    if (next === 'pause') return report?.podPhase === 'Failed' ? undefined : this.#cleanUp(claim);
    const isKnown = Object.keys(next.changes).length === 0;
    if (isKnown && report?.podPhase === 'Failed') return undefined;
    // Two pods must never write one disk, and a stage must not be repeated because a watch is late.
    if (!(await this.#isUpToDate(claim))) return { requeueAfter: LOOK_AGAIN_MILLISECONDS };
    if (isKnown) return this.#start(claim, report?.podPhase === 'Paused' ? 0 : (report?.restarts ?? 0));
    const inTheWay = this.#pods(claim).filter(({ metadata }) => {
      return metadata?.uid === failed?.metadata?.uid || metadata?.name === next.podName;
    });
    for (const pod of inTheWay) if (!isBeingDeleted(pod)) await this.#deletePod(pod);
    if (inTheWay.length > 0) return undefined;
    const begins = pendingReport(0, { reason: 'Pending', message: 'The next stage begins' });
    await recordStage(client, claim, this.#kind.fieldManager, { report: begins, changes: next.changes });
    return undefined;
  }

  /** Returns whether the caches have the claim as it is, and the pod that it names. */
  async #isUpToDate(claim: PersistentVolumeClaim): Promise<boolean> {
    const { client, caches } = this.#context;
    const current = await client.get(persistentVolumeClaims, keyOf(claim));
    if (current?.metadata?.resourceVersion !== claim.metadata?.resourceVersion) return false;
    const podKey = { ...keyOf(claim), name: this.#kind.podName(claim) };
    return caches.pods.get(podKey) !== undefined || (await client.get(pods, podKey)) === undefined;
  }

  /**
   * Deletes the pod of a transfer that has failed before it began: a kubelet that gets the image after all would start
   * it.
   */
  async #endUnstarted(pod: Pod | undefined): Promise<Result> {
    if (pod?.status?.phase === 'Pending' && !isBeingDeleted(pod)) await this.#deletePod(pod);
    return undefined;
  }

  /** Reports a failure that occurred before there was a pod in the same way as a failure of the pod. */
  async failed(key: ObjectKey, failure: Error): Promise<Result> {
    return this.#timing.tellFailure(key, failure, (claim, report) => this.#tell(claim, report));
  }

  async #start(claim: PersistentVolumeClaim, restarts: number): Promise<Result> {
    const { caches, client, config } = this.#context;
    if (!mayBePopulatedNow(claim, caches)) return undefined;
    const request = this.#kind.requestOf(claim, config);
    await requireVolume(this.#context, claim);
    if (request.scratch) await makeScratchClaim(this.#context, claim);
    const pod = await this.#operation.preparePod(claim, request, { owner: podOwner(claim), restarts });
    await createTransferPod(client, pod);
    const awaited = awaitedIn(readReport(claim.metadata?.annotations));
    await this.#tell(claim, pendingReport(restarts, awaited ?? starting(pod)));
    return undefined;
  }

  async #follow(claim: PersistentVolumeClaim, pod: Pod): Promise<Result> {
    const verdict = judgePod(pod);
    const restarts = Number(pod.metadata?.annotations?.[stateAnnotation.podRestarts] ?? 0);
    switch (verdict.state) {
      case 'succeeded':
        return this.#complete(claim, pod, verdict.result, restarts);
      case 'scratch-required':
        await this.#tell(claim, pendingReport(restarts, { reason: 'ScratchRequired', message: verdict.message }), {
          [stateAnnotation.requiresScratch]: 'true',
        });
        await this.#deletePod(pod);
        return undefined;
      default:
        return this.#followUnfinished(claim, pod, verdict, restarts);
    }
  }

  async #complete(claim: PersistentVolumeClaim, pod: Pod, result: SuccessfulResult, restarts: number): Promise<Result> {
    const { client } = this.#context;
    const { words, fieldManager } = this.#kind;
    this.#metrics?.succeeded(this.#counted(claim, pod), result.bytesWritten, volumeBytes(this.#context.caches, claim));
    const stage = this.#operation.stages?.end(claim, pod);
    const isComplete = !stage || stage.isLast;
    if (isComplete) {
      await labelClaim(this.#context, claim, result.labels ?? {});
      warnOfSize(this.#context, claim, result.diskSize);
    }
    const report = isComplete ? completedReport(restarts, words.completed) : pausedReport(restarts);
    const told = {
      [stateAnnotation.preallocation]: String(result.preallocated ?? false),
      ...libraryAnnotations(result.vddk),
    };
    if (stage) {
      reportOnClaim(this.#context.events, claim, report, words);
      await recordStage(client, claim, fieldManager, { report, changes: { ...stage.changes, ...told } });
    } else {
      await this.#tell(claim, report, told);
    }
    return this.#cleanUp(claim);
  }

  async #followUnfinished(
    claim: PersistentVolumeClaim,
    pod: Pod,
    verdict: UnfinishedVerdict,
    restarts: number,
  ): Promise<Result> {
    const recorded = readReport(claim.metadata?.annotations);
    if (verdict.state === 'failed') this.#metrics?.failed(this.#counted(claim, pod), verdict);
    if (verdict.state === 'running') {
      await this.#operation.maintain?.(claim);
      if (!recorded?.running && (await this.#operation.isReady?.(pod)) === false) {
        await this.#tell(claim, pendingReport(restarts, starting(pod)));
        return { requeueAfter: untilReadyAgain(pod, this.#context.now()) };
      }
    }
    const { report: reported, progress, next } = await this.#follower.follow(verdict, { pod, restarts, recorded });
    const report = reported && explainReadOnly(reported, claim);
    const isFatal = report?.podPhase === 'Failed';
    if (report) {
      await this.#tell(claim, report, {
        ...(progress?.checkpoint ? { [transferCheckpointAnnotation]: progress.checkpoint } : {}),
        ...(progress?.openTransfer ? { [openTransferAnnotation]: progress.openTransfer } : {}),
        ...(isFatal ? { [stateAnnotation.fatalError]: report.message } : {}),
      });
    }
    if (next !== 'start-again') return next;
    await this.#deletePod(pod);
    return undefined;
  }

  #counted(claim: PersistentVolumeClaim, pod: Pod): TransferOfPod {
    return { kind: this.#kind.name, source: this.#kind.sourceOf?.(claim), pod };
  }

  /**
   * Deletes the pods of a claim that is being deleted. The claim is protected as long as a pod uses it, and the pods
   * that it owns would only be garbage-collected after it.
   */
  async #letGo(claim: PersistentVolumeClaim): Promise<Result> {
    const { uid } = ownerReference(claim);
    for (const pod of [...this.#pods(claim), ...predecessorsOf(this.#context.caches, claim)]) {
      const isOwn = pod.metadata?.ownerReferences?.some((owner) => owner.uid === uid);
      if ((isOwn || !isPodRetained(claim)) && !isBeingDeleted(pod)) await this.#deletePod(pod);
    }
    return undefined;
  }

  async #cleanUp(claim: PersistentVolumeClaim): Promise<Result> {
    for (const pod of [...this.#pods(claim), ...predecessorsOf(this.#context.caches, claim)]) {
      if (isBeingDeleted(pod) || isPodRetained(claim)) continue;
      await this.#operation.cleanUp(claim);
      await this.#deletePod(pod);
    }
    await removeScratchClaim(this.#context, claim);
    return undefined;
  }

  async #deletePod(pod: Pod): Promise<void> {
    await this.#context.client.delete(pods, keyOf(pod), { uid: pod.metadata?.uid ?? '' });
  }

  async #tell(
    claim: PersistentVolumeClaim,
    report: TransferReport,
    further: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    if (!this.#timing.mayWrite(claim, report)) return;
    const { words, fieldManager, podNameAnnotation, podName } = this.#kind;
    reportOnClaim(this.#context.events, claim, report, words);
    const { annotations } = claim.metadata ?? {};
    const isOver = report.podPhase === 'Succeeded' || report.podPhase === 'Failed';
    const kept = [
      stateAnnotation.requiresScratch,
      ...(isOver ? [] : [transferCheckpointAnnotation, openTransferAnnotation]),
    ];
    await annotateClaim(this.#context.client, claim, fieldManager, {
      ...reportAnnotations(report),
      [podNameAnnotation]: podName(claim),
      ...Object.fromEntries(kept.flatMap((name) => (annotations?.[name] ? [[name, annotations[name]]] : []))),
      ...further,
    });
  }
}

function starting(pod: Pod): { reason: string; message: string } {
  return { reason: 'Pending', message: `Pod ${keyToString(keyOf(pod))} is starting` };
}
