import type { ClonePhase } from '../../../api/clone.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { RecentPeak } from '../../runtime/recent-peak.ts';
import { reportInterval } from '../../runtime/report-interval.ts';
import type { PhaseTimes } from '../metrics/phase-times.ts';
import type { CloneState } from './clone-state.ts';

/** The least time that a phase has to last before it is reported, and between two reports of it. */
const LASTING_MILLISECONDS = 1_000;
/** The time after which a clone that nothing happened to is forgotten: several times as long as between two reports. */
const REMEMBERED_MILLISECONDS = 180_000;

interface Entry {
  /** The phases that the clone was seen in, with their start in milliseconds since the epoch. */
  readonly times: (readonly [ClonePhase, number])[];
  /** The latest start or report of the latest phase. */
  readonly at: number;
}

/**
 * Remembers the phases of each clone and when they were last reported. A phase that ends within a moment, before
 * anybody could see it, is not worth a write. Forgetting an entry only delays a report.
 */
export class ReportedStates {
  readonly #latest = new Map<string, Entry>();
  readonly #peak = new RecentPeak();

  /**
   * Records that a phase has been reported.
   *
   * @param now milliseconds since the epoch, as in all of these methods
   */
  note(target: PersistentVolumeClaim, { phase }: Pick<CloneState, 'phase'>, now: number): void {
    const times = [...this.times(target)];
    if (times.at(-1)?.[0] !== phase) times.push([phase, now]);
    this.#remember(target, { times, at: now });
  }

  /**
   * Returns the milliseconds until a state is worth reporting: until its phase has lasted a while, or has not been
   * reported for a while.
   */
  untilWorthReporting(target: PersistentVolumeClaim, state: Pick<CloneState, 'phase'>, now: number): number {
    const latest = this.#latest.get(target.metadata?.uid ?? '');
    if (latest?.times.at(-1)?.[0] !== state.phase) {
      this.note(target, state, now);
      return this.#interval(now);
    }
    const passed = now - latest.at;
    // Time has not passed where the clock was set back.
    return passed < 0 ? 0 : Math.max(0, this.#interval(now) - passed);
  }

  /** Forgets a clone that is complete. */
  forget({ metadata }: PersistentVolumeClaim): void {
    this.#latest.delete(metadata?.uid ?? '');
    if (this.#latest.size === 0) this.#peak.reset();
  }

  /** Returns the phases that the clone was seen in, whether or not they were reported. */
  times(target: PersistentVolumeClaim): PhaseTimes {
    return this.#latest.get(target.metadata?.uid ?? '')?.times ?? [];
  }

  #interval(now: number): number {
    return reportInterval(LASTING_MILLISECONDS, this.#peak.of(this.#latest.size, now));
  }

  #remember({ metadata }: PersistentVolumeClaim, entry: Entry): void {
    const uid = metadata?.uid ?? '';
    // The entry moves to the end, which keeps the map in chronological order.
    this.#latest.delete(uid);
    this.#latest.set(uid, entry);
    for (const [other, { at }] of this.#latest) {
      if (entry.at - at <= REMEMBERED_MILLISECONDS) break;
      this.#latest.delete(other);
    }
  }
}
