import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { Result } from '../../kube/controller.ts';
import { keyOf, keyToString, type ObjectKey } from '../../kube/key.ts';
import { ProvisionerGrace } from '../claims/provisioner-grace.ts';
import { isBeingPlaced } from '../claims/wait-for-first-consumer.ts';
import type { Caches } from '../runtime/caches.ts';
import { earlierOf } from '../runtime/earlier-result.ts';
import { failureReport } from './failure-report.ts';
import { isStarting, readReport, type TransferReport } from './transfer-report.ts';

/** The age before which it is not reported why a pod finds no node for its claim, because most find one at once. */
const PLACING_MILLISECONDS = 10_000;

/**
 * Decides when a report may be written on a claim that has no volume yet. The scheduler and the volume controller of
 * Kubernetes write on such a claim, too; where another write comes between, theirs fails, with a Warning event.
 */
export class ReportTiming {
  readonly #caches: Pick<Caches, 'claims' | 'storageClasses'>;
  readonly #now: () => number;
  readonly #grace: ProvisionerGrace;
  /** The milliseconds until a report that was postponed may be written, by the key of its claim. */
  readonly #postponed = new Map<string, number>();

  /** @param now milliseconds since the epoch */
  constructor(caches: Pick<Caches, 'claims' | 'storageClasses'>, now: () => number) {
    this.#caches = caches;
    this.#now = now;
    this.#grace = new ProvisionerGrace(caches, now);
  }

  /** Returns the milliseconds for which nothing may be written on a claim, because its provisioner is about to be. */
  provisionerWait(claim: PersistentVolumeClaim): number {
    return this.#grace.left(claim);
  }

  /** Returns whether a report may be written on its claim now. Where it may not, {@link orPostponed} tells when. */
  mayWrite(claim: PersistentVolumeClaim, report: TransferReport): boolean {
    if (report.podPhase !== 'Pending' || claim.spec?.volumeName) return true;
    const left = Math.max(this.#grace.left(claim), this.#placementWait(claim, report));
    if (left > 0 && Number.isFinite(left)) this.#postponed.set(keyToString(keyOf(claim)), left);
    return left <= 0;
  }

  /** Has a reconciler's failure told of on its claim, where that concerns its users, as {@link orPostponed} does. */
  async tellFailure(
    key: ObjectKey,
    failure: Error,
    tell: (claim: PersistentVolumeClaim, report: TransferReport) => Promise<void>,
  ): Promise<Result> {
    return this.orPostponed(key, async () => {
      const claim = this.#caches.claims.get(key);
      const report = claim && failureReport({ caches: this.#caches, now: this.#now }, claim, failure);
      if (claim && report) await tell(claim, report);
      return undefined;
    });
  }

  /** Reconciles, and returns its result, or the one that asks for a report that it had to postpone, if sooner. */
  async orPostponed(key: ObjectKey, reconcile: () => Promise<Result>): Promise<Result> {
    const text = keyToString(key);
    this.#postponed.delete(text);
    const result = await reconcile();
    const left = this.#postponed.get(text);
    this.#postponed.delete(text);
    return earlierOf(result?.requeueAfter, left);
  }

  /** Nobody is told that a pod is starting, and nobody twice, in other words, why it cannot be scheduled. */
  #placementWait(claim: PersistentVolumeClaim, report: TransferReport): number {
    if (!isBeingPlaced(claim, this.#caches)) return 0;
    const { annotations, creationTimestamp = '' } = claim.metadata ?? {};
    if (isStarting(report) || readReport(annotations)?.reason === report.reason) return Infinity;
    const age = this.#now() - Date.parse(creationTimestamp);
    // Where the clocks differ, or there is no time, the age says nothing.
    return age >= 0 ? PLACING_MILLISECONDS - age : 0;
  }
}
