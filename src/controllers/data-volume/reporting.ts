import type { DataVolume } from '../../api/data-volume.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { keyOf, keyToString, type ObjectKey } from '../../kube/key.ts';
import { isBound } from '../claims/bound.ts';
import { mayBePopulatedNow } from '../claims/wait-for-first-consumer.ts';
import { isCopied } from '../clone/planner/facts.ts';
import type { Caches } from '../runtime/caches.ts';
import { RecentPeak } from '../runtime/recent-peak.ts';
import { reportInterval } from '../runtime/report-interval.ts';
import { readReport } from '../transfers/transfer-report.ts';
import { sourceKindOf } from './source-kind.ts';

/** Slightly more than a second, because creation timestamps are whole seconds. */
const NEW_CLAIM_MILLISECONDS = 1_500;

/**
 * Decides when a new clone is worth reporting. The storage makes most clones within a moment, so the first state worth
 * a write is that of one that takes longer, or has trouble. A copy always takes longer.
 */
export class Reporting {
  readonly #caches: Pick<Caches, 'storageClasses'>;
  readonly #now: () => number;
  /** The keys of the DataVolumes that nothing was reported on yet. */
  readonly #unreported = new Set<string>();
  readonly #peak = new RecentPeak();

  /** @param now milliseconds since the epoch */
  constructor(caches: Pick<Caches, 'storageClasses'>, now: () => number) {
    this.#caches = caches;
    this.#now = now;
  }

  /** Returns the milliseconds until a DataVolume with a claim is worth reporting. */
  untilWorthwhile(dataVolume: DataVolume, claim: PersistentVolumeClaim): number {
    const key = keyOf(dataVolume);
    if (!this.#mayEndSoon(dataVolume, claim)) {
      this.forget(key);
      return 0;
    }
    this.#unreported.add(keyToString(key));
    const now = this.#now();
    const age = Math.abs(now - Date.parse(claim.metadata?.creationTimestamp ?? ''));
    const left = reportInterval(NEW_CLAIM_MILLISECONDS, this.#peak.of(this.#unreported.size, now)) - age;
    if (left > 0) return left;
    this.forget(key);
    return 0;
  }

  /** Forgets a DataVolume that is gone. */
  forget(key: ObjectKey): void {
    this.#unreported.delete(keyToString(key));
    if (this.#unreported.size === 0) this.#peak.reset();
  }

  #mayEndSoon(dataVolume: DataVolume, claim: PersistentVolumeClaim): boolean {
    const report = readReport(claim.metadata?.annotations);
    return (
      !dataVolume.status?.phase &&
      sourceKindOf(dataVolume.spec) === 'clone' &&
      claim.spec?.dataSourceRef !== undefined &&
      !isBound(claim) &&
      !isCopied(claim) &&
      (report === undefined || report.running) &&
      mayBePopulatedNow(claim, this.#caches)
    );
  }
}
