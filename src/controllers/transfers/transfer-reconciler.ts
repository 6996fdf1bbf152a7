import { stateAnnotation, userAnnotation } from '../../api/annotations.ts';
import { ownerReference } from '../../kube/apply.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims, type Pod, pods } from '../../kube/builtin-resources.ts';
import type { Reconciler, Result } from '../../kube/controller.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import { keyOf, keyToString, type ObjectKey } from '../../kube/key.ts';
import { scratchClaimName } from '../../protocol/object-names.ts';
import { annotateClaim } from '../claims/annotate-claim.ts';
import { requireVolume } from '../claims/require-volume.ts';
import { isBeingPlaced, mayBePopulatedNow } from '../claims/wait-for-first-consumer.ts';
import { createIfAbsent } from '../objects/create-if-absent.ts';
import { openTransferAnnotation, transferCheckpointAnnotation } from '../objects/internal-annotations.ts';
import { isMadeFor } from '../objects/made-for.ts';
import { PROGRESS_INTERVAL_MILLISECONDS } from '../progress/progress-poll.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { labelClaim, warnOfSize } from './after-success.ts';
import { awaitedIn } from './awaited-object.ts';
import { reportOnClaim } from './claim-events.ts';
import { createTransferPod } from './create-transfer-pod.ts';
import { failureReport } from './failure-report.ts';
import { podOwner } from './known-claim.ts';
import { judgePod } from './pod-verdict.ts';
import { explainReadOnly } from './read-only-claim.ts';
import { scratchClaim } from './scratch-claim.ts';
import { TransferFollower, type UnfinishedVerdict } from './transfer-follower.ts';
import type { TransferKind, TransferOperation } from './transfer-kind.ts';
import {
  completedReport,
  isStarting,
  pendingReport,
  readReport,
  reportAnnotations,
  type TransferReport,
} from './transfer-report.ts';

/** Shortest interval between two questions to a pod whether it is ready. */
export const READY_INTERVAL_MILLISECONDS = 200;
/** Time that a pod may take to become ready before it is asked less often. */
const STARTING_MILLISECONDS = 10_000;

/** Runs a pod for each claim that requests a kind of transfer, and reports its state on the claim. */
export class TransferReconciler<Request extends { readonly scratch: boolean }> implements Reconciler {
  readonly name: string;
  readonly #kind: TransferKind<Request>;
  readonly #operation: TransferOperation<Request>;
  readonly #context: ControllerContext;
  readonly #follower: TransferFollower;

  constructor(kind: TransferKind<Request>, operation: TransferOperation<Request>, context: ControllerContext) {
    this.name = kind.name;
    this.#kind = kind;
    this.#operation = operation;
    this.#context = context;
    this.#follower = new TransferFollower(context);
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const { caches } = this.#context;
    const claim = caches.claims.get(key);
    if (!claim || !this.#kind.isRequested(claim)) return undefined;
    const pod = this.#pod(claim);
    if (isBeingDeleted(claim)) return this.#letGo(claim, pod);
    const report = readReport(claim.metadata?.annotations);
    if (report?.podPhase === 'Succeeded') return this.#cleanUp(claim, pod);
    if (report?.podPhase === 'Failed') return undefined;
    if (!pod) return this.#start(claim, report?.restarts ?? 0);
    return isBeingDeleted(pod) ? undefined : this.#follow(claim, pod);
  }

  /**
   * Returns the claim's own pod, but no pod that worked for an earlier claim of the same name, or that another owner
   * created.
   */
  #pod(claim: PersistentVolumeClaim): Pod | undefined {
    const { namespace, name } = keyOf(claim);
    const pod = this.#context.caches.pods.get({ namespace, name: this.#kind.podName(name) });
    return pod && isMadeFor(pod, claim.metadata?.uid) ? pod : undefined;
  }

  /** Reports a failure that occurred before there was a pod in the same way as a failure of the pod. */
  async failed(key: ObjectKey, failure: Error): Promise<void> {
    const claim = this.#context.caches.claims.get(key);
    const report = claim && failureReport(this.#context, claim, failure);
    if (claim && report) await this.#tell(claim, report);
  }

  async #start(claim: PersistentVolumeClaim, restarts: number): Promise<Result> {
    const { caches, client, config } = this.#context;
    if (!mayBePopulatedNow(claim, caches)) return undefined;
    const request = this.#kind.requestOf(claim, config);
    await requireVolume(this.#context, claim);
    if (request.scratch) await this.#createScratchClaim(claim);
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
        await labelClaim(this.#context, claim, verdict.result.labels ?? {});
        warnOfSize(this.#context, claim, verdict.result.diskSize);
        await this.#tell(claim, completedReport(restarts, this.#kind.words.completed), {
          [stateAnnotation.preallocation]: String(verdict.result.preallocated ?? false),
        });
        return this.#cleanUp(claim, pod);
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

  async #followUnfinished(
    claim: PersistentVolumeClaim,
    pod: Pod,
    verdict: UnfinishedVerdict,
    restarts: number,
  ): Promise<Result> {
    const recorded = readReport(claim.metadata?.annotations);
    if (verdict.state === 'running') {
      await this.#operation.maintain?.(claim);
      if (!recorded?.running && (await this.#operation.isReady?.(pod)) === false) {
        await this.#tell(claim, pendingReport(restarts, starting(pod)));
        return { requeueAfter: this.#untilReadyAgain(pod) };
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

  /** Returns in how many milliseconds a pod is to be asked again whether it is ready. */
  #untilReadyAgain({ status }: Pod): number {
    const started = Date.parse(String(status?.containerStatuses?.[0]?.state?.running?.startedAt ?? ''));
    return this.#context.now() - started < STARTING_MILLISECONDS
      ? READY_INTERVAL_MILLISECONDS
      : PROGRESS_INTERVAL_MILLISECONDS;
  }

  /**
   * Deletes the pod of a claim that is being deleted. The claim is protected as long as a pod uses it, and the pod that
   * it owns would only be garbage-collected after it.
   */
  async #letGo(claim: PersistentVolumeClaim, pod: Pod | undefined): Promise<Result> {
    const { uid } = ownerReference(claim);
    const isOwn = pod?.metadata?.ownerReferences?.some((owner) => owner.uid === uid);
    if (pod && (isOwn || !isPodRetained(claim)) && !isBeingDeleted(pod)) await this.#deletePod(pod);
    return undefined;
  }

  async #cleanUp(claim: PersistentVolumeClaim, pod: Pod | undefined): Promise<Result> {
    const { client, caches } = this.#context;
    if (pod && !isBeingDeleted(pod) && !isPodRetained(claim)) {
      await this.#operation.cleanUp(claim);
      await this.#deletePod(pod);
    }
    const scratch = { namespace: keyOf(claim).namespace, name: scratchClaimName(keyOf(claim).name) };
    const made = caches.claims.get(scratch);
    if (made && !isBeingDeleted(made) && isMadeFor(made, claim.metadata?.uid)) {
      await client.delete(persistentVolumeClaims, scratch, { uid: made.metadata?.uid });
    }
    return undefined;
  }

  async #deletePod(pod: Pod): Promise<void> {
    await this.#context.client.delete(pods, keyOf(pod), { uid: pod.metadata?.uid ?? '' });
  }

  async #createScratchClaim(claim: PersistentVolumeClaim): Promise<void> {
    const { client, config } = this.#context;
    const scratch = scratchClaim(claim, podOwner(claim), config.scratchSpaceStorageClass);
    await createIfAbsent(client, persistentVolumeClaims, scratch);
  }

  async #tell(
    claim: PersistentVolumeClaim,
    report: TransferReport,
    further: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    if (isBeingPlaced(claim, this.#context.caches) && isStarting(report)) return;
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
      [podNameAnnotation]: podName(keyOf(claim).name),
      ...Object.fromEntries(kept.flatMap((name) => (annotations?.[name] ? [[name, annotations[name]]] : []))),
      ...further,
    });
  }
}

function starting(pod: Pod): { reason: string; message: string } {
  return { reason: 'Pending', message: `Pod ${keyToString(keyOf(pod))} is starting` };
}

function isPodRetained(claim: PersistentVolumeClaim): boolean {
  return claim.metadata?.annotations?.[userAnnotation.podRetainAfterCompletion] === 'true';
}
