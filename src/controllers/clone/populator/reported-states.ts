import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { CloneState } from './clone-state.ts';

/** The least time between two reports of the same phase. */
const RECENT_MILLISECONDS = 1_000;

/** Remembers when the phase of each clone was last reported. Forgetting an entry only causes another report. */
export class ReportedStates {
  readonly #latest = new Map<string, { readonly phase: string; readonly at: number }>();

  /**
   * Records that a phase has been reported.
   *
   * @param now milliseconds since the epoch, as in all of these methods
   */
  note(target: PersistentVolumeClaim, { phase }: Pick<CloneState, 'phase'>, now: number): void {
    const uid = target.metadata?.uid ?? '';
    if (this.#latest.get(uid)?.phase === phase) return;
    // The entry moves to the end, which keeps the map in chronological order.
    this.#latest.delete(uid);
    this.#latest.set(uid, { phase, at: now });
    for (const [other, { at }] of this.#latest) {
      if (now - at <= RECENT_MILLISECONDS) break;
      this.#latest.delete(other);
    }
  }

  /**
   * Returns the milliseconds until a state is worth reporting: 0 unless the clone was reported to enter that phase a
   * moment ago.
   */
  untilWorthReporting(target: PersistentVolumeClaim, { phase }: Pick<CloneState, 'phase'>, now: number): number {
    const latest = this.#latest.get(target.metadata?.uid ?? '');
    return latest?.phase === phase ? Math.max(0, latest.at + RECENT_MILLISECONDS - now) : 0;
  }
}
