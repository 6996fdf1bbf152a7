import { populationAnnotation, stateAnnotation } from '../../../api/annotations.ts';
import { finalizer } from '../../../api/finalizers.ts';
import {
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  type Pod,
  pods,
  secrets,
  services,
} from '../../../kube/builtin-resources.ts';
import type { Reconciler, Result } from '../../../kube/controller.ts';
import { addFinalizer, hasFinalizer, isBeingDeleted, removeFinalizer } from '../../../kube/finalizers.ts';
import { keyFromString, keyOf, type ObjectKey } from '../../../kube/key.ts';
import { annotateClaim } from '../../claims/annotate-claim.ts';
import { isPodRetained } from '../../claims/pod-retention.ts';
import { requireVolume } from '../../claims/require-volume.ts';
import { mayBePopulatedNow } from '../../claims/wait-for-first-consumer.ts';
import { deleteOwn } from '../../objects/delete-own.ts';
import { workForAnnotation, workSourceUidAnnotation, workTakenAnnotation } from '../../objects/internal-annotations.ts';
import { isMadeFor } from '../../objects/made-for.ts';
import { isWorkingClaim } from '../../transfers/known-claim.ts';
import { judgePod } from '../../transfers/pod-verdict.ts';
import { explainReadOnly } from '../../transfers/read-only-claim.ts';
import { ReportTiming } from '../../transfers/report-timing.ts';
import { TransferFollower } from '../../transfers/transfer-follower.ts';
import { type TransferMetrics, volumeBytes } from '../../transfers/transfer-metrics.ts';
import {
  completedReport,
  pendingReport,
  readReport,
  reportAnnotations,
  type TransferReport,
} from '../../transfers/transfer-report.ts';
import { BASE_FIELD_MANAGER, keepsBase } from '../bases/base.ts';
import { requireAuthority } from '../grants/authority.ts';
import { useGrant } from '../grants/use-grant.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import { gatherClaimSource } from '../source/claim-source.ts';
import { requireSameObject } from '../source/cloned-object.ts';
import { requireRoom } from '../source/source.ts';
import { askAhead } from './ask-ahead.ts';
import { holdsBase } from './changed-ranges.ts';
import { copyOfCdi } from './copy-of-cdi.ts';
import { createPods } from './create-pods.ts';
import { giveUpOnePod } from './give-up-one-pod.ts';
import { forgetRanges } from './inquire.ts';
import { Inquiries } from './inquiries.ts';
import { hasBegun, knownRanges } from './known-ranges.ts';
import { type HostCloneKeys, hostCloneKeys } from './objects.ts';
import { hasBothVolumes } from './one-pod.ts';
import { startingMessage, warnOfUnknownRanges, warnOfWrongRanges } from './remarks.ts';
import { dropBaseInUse, requireUnusedSource } from './unused-source.ts';
import { explainLeaving, judgePair } from './verdict.ts';

const FIELD_MANAGER = 'diskpress-copy';
const LOOK_AGAIN_MILLISECONDS = 1_000;
/** Until the next look for what a CSI driver has answered. */
const ASKING_MILLISECONDS = 100;
const COPY_OF_CDI = 'The pods of CDI are removed, and the copy begins anew';

/**
 * Copies into each claim whose annotation k8s.io/CloneRequest names a source, with one pod that has both volumes, or
 * with a pod at each end.
 */
export class CopyReconciler implements Reconciler {
  readonly name = 'copy';
  readonly #context: CloneContext;
  readonly #follower: TransferFollower;
  readonly #timing: ReportTiming;
  readonly #inquiries: Inquiries;
  readonly #metrics: TransferMetrics | undefined;

  constructor(context: CloneContext, metrics?: TransferMetrics) {
    this.#context = context;
    this.#metrics = metrics;
    this.#follower = new TransferFollower(context);
    this.#timing = new ReportTiming(context.caches, context.now);
    this.#inquiries = new Inquiries(context.now);
  }

  async reconcile(key: ObjectKey): Promise<Result> {
    return this.#timing.orPostponed(key, () => this.#reconcile(key));
  }

  async #reconcile(key: ObjectKey): Promise<Result> {
    const claim = this.#context.caches.claims.get(key);
    const sourceKey = claim && cloneRequestOf(claim);
    if (!claim) this.#inquiries.forget(key);
    if (!claim || !sourceKey) return undefined;
    const keys = hostCloneKeys(claim, sourceKey.namespace);
    const report = readReport(claim.metadata?.annotations);
    if (isBeingDeleted(claim) || hasSucceeded(claim)) return this.#cleanUp(claim, keys);
    const target = this.#pod(claim, keys.targetPod);
    // One pod may be both ends.
    const source = target && hasBothVolumes(target) ? target : this.#pod(claim, keys.sourcePod);
    if (report?.podPhase === 'Failed') {
      // The other end would wait forever. The failed pod is kept for its log.
      const waiting = [...new Set([source, target])].filter((pod) => pod !== undefined).filter(isUnfinished);
      await Promise.all(waiting.map((pod) => this.#deletePod(pod)));
      return undefined;
    }
    const leaving = [source, target].find((pod) => pod && isBeingDeleted(pod));
    if (leaving) {
      await this.#tell(claim, pendingReport(report?.restarts ?? 0, explainLeaving(leaving)));
      return undefined;
    }
    if (!source || !target) return this.#start(claim, sourceKey, keys, report?.restarts ?? 0);
    return this.#follow(claim, sourceKey, source, target);
  }

  async failed(key: ObjectKey, failure: Error): Promise<Result> {
    return this.#timing.tellFailure(key, failure, (claim, report) => this.#tell(claim, report));
  }

  /** Creates the missing objects. */
  async #start(
    claim: PersistentVolumeClaim,
    sourceKey: ObjectKey,
    keys: HostCloneKeys,
    restarts: number,
  ): Promise<Result> {
    const { caches } = this.#context;
    const sourceUid = this.#sourceUid(claim, sourceKey);
    if (!mayBePopulatedNow(claim, caches)) return undefined;
    requireSameObject(caches, { kind: 'PersistentVolumeClaim', key: sourceKey }, sourceUid);
    const source = gatherClaimSource(caches, sourceKey);
    requireRoom(source, claim);
    const left = copyOfCdi(caches, claim, keys);
    if (left.length > 0) {
      await this.#tell(claim, pendingReport(restarts, { reason: 'PodReplaced', message: COPY_OF_CDI }));
      await Promise.all(left.map((pod) => this.#deletePod(pod)));
      return { requeueAfter: LOOK_AGAIN_MILLISECONDS };
    }
    await requireUnusedSource(this.#context, this.#inquiries, claim, sourceKey);
    // A pod that is still running has the keys, and nobody knows any more what else is beside them.
    const isFresh = !this.#pod(claim, keys.sourcePod) && !this.#pod(claim, keys.targetPod);
    const after = isFresh ? await askAhead(this.#context, this.#inquiries, claim, source) : Infinity;
    await requireVolume(this.#context, claim, { after });
    if (sourceKey.namespace !== keyOf(claim).namespace) {
      const left = this.#timing.provisionerWait(claim);
      if (left > 0) return { requeueAfter: left };
      await addFinalizer(this.#context.client, persistentVolumeClaims, claim, finalizer.cloneSource);
    }
    if (hasBegun(claim) && (await this.#areThere(claim, keys))) return { requeueAfter: ASKING_MILLISECONDS };
    const known = await knownRanges(this.#context, this.#inquiries, claim, source, isFresh);
    if (known === 'pending') return { requeueAfter: ASKING_MILLISECONDS };
    if (keepsBase(claim)) {
      const { client } = this.#context;
      await annotateClaim(client, claim, BASE_FIELD_MANAGER, { [workTakenAnnotation]: known.taken ?? '' });
    }
    const pods = await createPods(this.#context, { claim, keys, source, ranges: known, restarts, isFresh });
    warnOfUnknownRanges(this.#context, claim, known);
    await this.#tell(claim, pendingReport(restarts, { reason: 'Pending', message: startingMessage(pods, known) }));
    return undefined;
  }

  /**
   * Returns the uid that the source claim must have, according to the CloneGrant or to the record on a working claim.
   */
  #sourceUid(claim: PersistentVolumeClaim, key: ObjectKey): string | undefined {
    const { caches, now } = this.#context;
    const granted = requireAuthority(caches, claim, { kind: 'PersistentVolumeClaim', key }, now());
    const { annotations } = claim.metadata ?? {};
    return granted ?? (annotations?.[workForAnnotation] && annotations[workSourceUidAnnotation]);
  }

  async #follow(claim: PersistentVolumeClaim, sourceKey: ObjectKey, source: Pod, target: Pod): Promise<Result> {
    const verdict = judgePair(judgePod(source), judgePod(target));
    const restarts = Math.max(...[source, target].map(restartsOf));
    const dropped = await dropBaseInUse(this.#context, claim, sourceKey);
    if (dropped === 'waiting') return { requeueAfter: LOOK_AGAIN_MILLISECONDS };
    if (verdict.state === 'succeeded') {
      await useGrant(this.#context, claim, sourceKey);
      this.#context.cloneCount.copied(claim, this.#context.now());
      this.#count(claim, target);
      await this.#tell(claim, completedReport(restarts, 'Clone Complete'));
      return this.#cleanUp(claim, hostCloneKeys(claim, sourceKey.namespace));
    }
    // A claim in use cannot be removed, so from here on the claim with that name is the one that is being read.
    const cloned = { kind: 'PersistentVolumeClaim', key: sourceKey } as const;
    requireSameObject(this.#context.caches, cloned, this.#sourceUid(claim, sourceKey));
    const untilGivenUp = await giveUpOnePod(this.#context, this.#inquiries, claim, target);
    if (untilGivenUp === 'given-up') return undefined;
    const recorded = readReport(claim.metadata?.annotations);
    const starting = [source, target].find((each) => judgePod(each).state === 'pending');
    if (verdict.state === 'failed') {
      const pod = [source, target].find((each) => judgePod(each).state === 'failed') ?? source;
      this.#metrics?.failed({ kind: this.name, pod }, verdict);
    }
    const { report, next } = await this.#follower.follow(verdict, { pod: starting ?? source, restarts, recorded });
    if (report) await this.#tell(claim, explainReadOnly(report, claim));
    if (next !== 'start-again')
      return next ?? (untilGivenUp === undefined ? undefined : { requeueAfter: untilGivenUp });
    // A pod that is still running resumes with the successor of the other.
    const ended = [...new Set([source, target])].filter((pod) => !isUnfinished(pod));
    await Promise.all(ended.map((pod) => this.#deletePod(pod)));
    return undefined;
  }

  #count(claim: PersistentVolumeClaim, target: Pod): void {
    const verdict = judgePod(target);
    if (verdict.state !== 'succeeded') return;
    const capacity = volumeBytes(this.#context.caches, claim);
    this.#metrics?.succeeded({ kind: this.name, pod: target }, verdict.result.bytesWritten, capacity);
    if (verdict.result.allocation === 'wrong') warnOfWrongRanges(this.#context, claim);
  }

  async #cleanUp(claim: PersistentVolumeClaim, keys: HostCloneKeys): Promise<Result> {
    const { client } = this.#context;
    this.#inquiries.forget(keyOf(claim));
    // What a base is kept by is needed until the claim is gone.
    const isKept = keepsBase(claim) && !isBeingDeleted(claim);
    const forgotten = isKept ? 'deleted' : await forgetRanges(this.#context, claim, keys.sourcePod.namespace);
    if (forgotten === 'waiting') return { requeueAfter: LOOK_AGAIN_MILLISECONDS };
    const isHeld = hasFinalizer(claim, finalizer.cloneSource);
    const left = copyOfCdi(this.#context.caches, claim, keys);
    const found = [keys.sourcePod, keys.targetPod]
      .map((key) => this.#pod(claim, key))
      .filter((pod) => pod && !isBeingDeleted(pod));
    if (found.length === 0 && left.length === 0 && !isHeld) return undefined;
    // A working claim is deleted once its volume has been handed over.
    const isHandedOver = isWorkingClaim(claim) && hasSucceeded(claim);
    const retain = isPodRetained(claim) && (!isBeingDeleted(claim) || isHandedOver);
    const uid = claim.metadata?.uid;
    const service = await client.get(services, keys.service);
    if (service && isMadeFor(service, uid)) await client.delete(services, keys.service, { uid: service.metadata?.uid });
    await deleteOwn(client, secrets, keys.targetSecret);
    if (keys.sourceSecret.namespace !== keys.targetSecret.namespace)
      await deleteOwn(client, secrets, keys.sourceSecret);
    // A claim in another namespace cannot own the objects, and the cache may not show recent ones yet.
    const there = isHeld
      ? await Promise.all([keys.sourcePod, keys.targetPod].map((key) => client.get(pods, key)))
      : found;
    const own = [...there.filter((pod) => pod !== undefined).filter((pod) => isMadeFor(pod, uid)), ...left];
    if (!retain) await Promise.all(own.map((pod) => this.#deletePod(pod)));
    if (isHeld) await removeFinalizer(client, persistentVolumeClaims, claim, finalizer.cloneSource);
    return undefined;
  }

  /** Returns a pod of this clone, but no pod that worked for an earlier claim of the same name. */
  #pod(claim: PersistentVolumeClaim, key: ObjectKey): Pod | undefined {
    const pod = this.#context.caches.pods.get(key);
    return pod && isMadeFor(pod, claim.metadata?.uid) ? pod : undefined;
  }

  /** Whether all pods are there, which the cache may not know yet. */
  async #areThere(claim: PersistentVolumeClaim, keys: HostCloneKeys): Promise<boolean> {
    const { client } = this.#context;
    const found = await Promise.all([keys.sourcePod, keys.targetPod].map((key) => client.get(pods, key)));
    const [source, target] = found.map((pod) => pod && isMadeFor(pod, claim.metadata?.uid) && pod);
    return Boolean(target && (source || hasBothVolumes(target)));
  }

  async #deletePod(pod: Pod): Promise<void> {
    if (isBeingDeleted(pod)) return;
    await this.#context.client.delete(pods, keyOf(pod), { uid: pod.metadata?.uid ?? '' });
  }

  async #tell(claim: PersistentVolumeClaim, report: TransferReport): Promise<void> {
    if (!this.#timing.mayWrite(claim, report)) return;
    await annotateClaim(this.#context.client, claim, FIELD_MANAGER, reportAnnotations(report));
  }
}

/** Returns how many pods failed before this one. */
function restartsOf(pod: Pod): number {
  return Number(pod.metadata?.annotations?.[stateAnnotation.podRestarts] ?? 0);
}

function hasSucceeded(claim: PersistentVolumeClaim): boolean {
  return readReport(claim.metadata?.annotations)?.podPhase === 'Succeeded';
}

function isUnfinished(pod: Pod): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';
}

/**
 * Returns the claim to copy from; undefined where the claim requests no copy, or is itself populated in another way
 * than from an earlier copy.
 */
export function cloneRequestOf(claim: PersistentVolumeClaim): ObjectKey | undefined {
  if (claim.spec?.dataSourceRef && !holdsBase(claim)) return undefined;
  const request = claim.metadata?.annotations?.[populationAnnotation.cloneRequest];
  return request ? keyFromString(request) : undefined;
}
