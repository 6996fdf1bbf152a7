import { stateAnnotation, userAnnotation } from '../../../api/annotations.ts';
import { diskOfVolume } from '../../../base/filesystem-sizes.ts';
import { formatBytes } from '../../../base/format-bytes.ts';
import { ownerReference } from '../../../kube/apply.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims, type Pod, pods } from '../../../kube/builtin-resources.ts';
import type { Reconciler, Result } from '../../../kube/controller.ts';
import { isForbidden, isPermanent, toError } from '../../../kube/errors.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyOf, keyToString, type ObjectKey } from '../../../kube/key.ts';
import type { OwnerReference } from '../../../kube/resource.ts';
import { importerPodName, scratchClaimName } from '../../../protocol/object-names.ts';
import { annotateClaim } from '../../claims/annotate-claim.ts';
import { requireVolume } from '../../claims/require-volume.ts';
import { isBeingPlaced, mayBePopulatedNow } from '../../claims/wait-for-first-consumer.ts';
import { createIfAbsent } from '../../objects/create-if-absent.ts';
import { importCheckpointAnnotation, workForAnnotation } from '../../objects/internal-annotations.ts';
import { isMadeFor } from '../../objects/made-for.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { awaitedIn } from '../../transfers/awaited-object.ts';
import { reportOnClaim } from '../../transfers/claim-events.ts';
import { failureReport } from '../../transfers/failure-report.ts';
import { claimLabelsOf, missingLabels } from '../../transfers/image-labels.ts';
import { judgePod } from '../../transfers/pod-verdict.ts';
import { explainReadOnly } from '../../transfers/read-only-claim.ts';
import { TransferFollower } from '../../transfers/transfer-follower.ts';
import {
  completedReport,
  isStarting,
  pendingReport,
  readReport,
  reportAnnotations,
  type TransferReport,
} from '../../transfers/transfer-report.ts';
import { transferTargetOf } from '../../transfers/transfer-target.ts';
import { importerPod, scratchClaim } from './importer-pod.ts';
import { provideProxy, removeProxy } from './proxy.ts';
import { importRequestOf, isImportClaim } from './request.ts';

const FIELD_MANAGER = 'diskpress-import';

/** Runs an importer pod for each claim whose annotations request one, and reports its state on the claim. */
export class ImportReconciler implements Reconciler {
  readonly name = 'import';
  readonly #context: ControllerContext;
  readonly #follower: TransferFollower;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#follower = new TransferFollower(context);
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    const { caches } = this.#context;
    const claim = caches.claims.get(key);
    if (!claim || !isImportClaim(claim)) return undefined;
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
    const pod = this.#context.caches.pods.get({ namespace, name: importerPodName(name) });
    return pod && isMadeFor(pod, claim.metadata?.uid) ? pod : undefined;
  }

  /** Reports a failure that occurred before there was a pod in the same way as a failure of the pod. */
  async failed(key: ObjectKey, failure: Error): Promise<void> {
    const claim = this.#context.caches.claims.get(key);
    const report = claim && failureReport(claim, failure, this.#context.now());
    if (claim && report) await this.#tell(claim, report);
  }

  async #start(claim: PersistentVolumeClaim, restarts: number): Promise<Result> {
    const { caches, client, config } = this.#context;
    if (!mayBePopulatedNow(claim, caches)) return undefined;
    const request = importRequestOf(claim, transferTargetOf(claim, config), config);
    await requireVolume(this.#context, claim);
    if (request.scratch) await this.#createScratchClaim(claim);
    const proxy = await provideProxy(this.#context, claim);
    const pod = importerPod(claim, request, proxy, podOwner(claim), config.transferSettings, restarts);
    await createIfAbsent(client, pods, pod);
    const starting = { reason: 'Pending', message: `Pod ${keyToString(keyOf(pod))} is starting` };
    const awaited = awaitedIn(readReport(claim.metadata?.annotations));
    await this.#tell(claim, pendingReport(restarts, awaited ?? starting));
    return undefined;
  }

  async #follow(claim: PersistentVolumeClaim, pod: Pod): Promise<Result> {
    const verdict = judgePod(pod);
    const restarts = Number(pod.metadata?.annotations?.[stateAnnotation.podRestarts] ?? 0);
    switch (verdict.state) {
      case 'succeeded':
        await this.#label(claim, verdict.result.labels ?? {});
        this.#warnOfSize(claim, verdict.result.diskSize);
        await this.#tell(claim, completedReport(restarts, 'Import Complete'), {
          [stateAnnotation.preallocation]: String(verdict.result.preallocated ?? false),
        });
        return this.#cleanUp(claim, pod);
      case 'scratch-required':
        await this.#tell(claim, pendingReport(restarts, { reason: 'ScratchRequired', message: verdict.message }), {
          [stateAnnotation.requiresScratch]: 'true',
        });
        await this.#context.client.delete(pods, keyOf(pod), { uid: pod.metadata?.uid ?? '' });
        return undefined;
      default: {
        const recorded = readReport(claim.metadata?.annotations);
        const { report: reported, progress, next } = await this.#follower.follow(verdict, { pod, restarts, recorded });
        const report = reported && explainReadOnly(reported, claim);
        const isFatal = report?.podPhase === 'Failed';
        if (report) {
          await this.#tell(claim, report, {
            ...(progress?.checkpoint ? { [importCheckpointAnnotation]: progress.checkpoint } : {}),
            ...(isFatal ? { [stateAnnotation.fatalError]: report.message } : {}),
          });
        }
        if (next !== 'start-again') return next;
        await this.#context.client.delete(pods, keyOf(pod), { uid: pod.metadata?.uid ?? '' });
        return undefined;
      }
    }
  }

  /**
   * Deletes the pod of a claim that is being deleted. The claim is protected as long as a pod uses it, and the pod that
   * it owns would only be garbage-collected after it.
   */
  async #letGo(claim: PersistentVolumeClaim, pod: Pod | undefined): Promise<Result> {
    const isOwn = pod && isOwnedBy(pod, ownerReference(claim));
    if (pod && (isOwn || !isPodRetained(claim)) && !isBeingDeleted(pod)) {
      await this.#context.client.delete(pods, keyOf(pod), { uid: pod.metadata?.uid ?? '' });
    }
    return undefined;
  }

  async #cleanUp(claim: PersistentVolumeClaim, pod: Pod | undefined): Promise<Result> {
    const { client, caches } = this.#context;
    if (pod && !isBeingDeleted(pod) && !isPodRetained(claim)) {
      await removeProxy(this.#context, claim);
      await client.delete(pods, keyOf(pod), { uid: pod.metadata?.uid ?? '' });
    }
    const scratch = { namespace: keyOf(claim).namespace, name: scratchClaimName(keyOf(claim).name) };
    const made = caches.claims.get(scratch);
    if (made && !isBeingDeleted(made) && isMadeFor(made, claim.metadata?.uid)) {
      await client.delete(persistentVolumeClaims, scratch, { uid: made.metadata?.uid });
    }
    return undefined;
  }

  async #createScratchClaim(claim: PersistentVolumeClaim): Promise<void> {
    const { client, config } = this.#context;
    const scratch = scratchClaim(claim, podOwner(claim), config.scratchSpaceStorageClass);
    await createIfAbsent(client, persistentVolumeClaims, scratch);
  }

  /**
   * Sets the labels of the image. Its data is complete by now, so labels that the API server rejects are omitted with a
   * warning.
   */
  async #label(claim: PersistentVolumeClaim, labels: Readonly<Record<string, string>>): Promise<void> {
    const missing = missingLabels(claim, claimLabelsOf(labels));
    try {
      if (Object.keys(missing).length > 0) {
        await this.#context.client.mergePatch(persistentVolumeClaims, keyOf(claim), { metadata: { labels: missing } });
      }
    } catch (error) {
      if (!isPermanent(error) && !isForbidden(error)) throw error;
      this.#warnOfLabels(claim, Object.keys(missing), toError(error).message);
    }
  }

  #warnOfLabels(claim: PersistentVolumeClaim, names: readonly string[], cause: string): void {
    this.#warn(claim, {
      reason: 'ImageLabelsRefused',
      message: `The import is complete, but the image's labels ${names.join(', ')} could not be set: ${cause}`,
    });
  }

  /**
   * Warns where the disk is smaller than requested, because the journal and tables of a filesystem may take more of a
   * small volume than the configured overhead.
   */
  #warnOfSize(claim: PersistentVolumeClaim, diskSize: number | undefined): void {
    const { volumeMode, contentType, capacity, filesystemOverhead } = transferTargetOf(claim, this.#context.config);
    const wanted = diskOfVolume(capacity, filesystemOverhead);
    if (volumeMode === 'Block' || contentType === 'archive' || diskSize === undefined || diskSize >= wanted) return;
    this.#warn(claim, {
      reason: 'DiskSmallerThanRequested',
      message:
        `The disk has ${formatBytes(diskSize)} instead of ${formatBytes(wanted)}, as the file system itself has taken more of the ` +
        `volume than the overhead of its class; request more, or raise filesystemOverhead`,
    });
  }

  /** Emits a warning on the claim that the user knows, because a working claim will soon be gone. */
  #warn(claim: PersistentVolumeClaim, warning: { readonly reason: string; readonly message: string }): void {
    const { caches, events } = this.#context;
    const known = caches.claims.get({ namespace: keyOf(claim).namespace, name: podOwner(claim).name });
    events.event(known ?? claim, { type: 'Warning', ...warning });
  }

  async #tell(
    claim: PersistentVolumeClaim,
    report: TransferReport,
    further: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    if (isBeingPlaced(claim, this.#context.caches) && isStarting(report)) return;
    reportOnClaim(this.#context.events, claim, report);
    const { annotations } = claim.metadata ?? {};
    const isOver = report.podPhase === 'Succeeded' || report.podPhase === 'Failed';
    const kept = [stateAnnotation.requiresScratch, ...(isOver ? [] : [importCheckpointAnnotation])];
    await annotateClaim(this.#context.client, claim, FIELD_MANAGER, {
      ...reportAnnotations(report),
      [stateAnnotation.importPodName]: importerPodName(keyOf(claim).name),
      ...Object.fromEntries(kept.flatMap((name) => (annotations?.[name] ? [[name, annotations[name]]] : []))),
      ...further,
    });
  }
}

function isOwnedBy(pod: Pod, owner: OwnerReference): boolean {
  return pod.metadata?.ownerReferences?.some(({ uid }) => uid === owner.uid) ?? false;
}

function isPodRetained(claim: PersistentVolumeClaim): boolean {
  return claim.metadata?.annotations?.[userAnnotation.podRetainAfterCompletion] === 'true';
}

/**
 * Returns the owner of the pod, which is the claim that the user knows, so that a pod to be retained outlives the
 * working claim.
 */
function podOwner(claim: PersistentVolumeClaim): OwnerReference {
  const isWorkingClaim = claim.metadata?.annotations?.[workForAnnotation] !== undefined;
  const owner = claim.metadata?.ownerReferences?.find((reference) => reference.kind === 'PersistentVolumeClaim');
  return (isWorkingClaim && owner) || ownerReference(claim, { controller: true });
}
