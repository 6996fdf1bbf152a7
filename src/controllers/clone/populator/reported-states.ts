import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { CloneState } from './clone-state.ts';

/** What a phase is said to be doing is not said anew sooner. */
const RECENT_MILLISECONDS = 1_000;

/** When each clone was last said to have come into a phase. What is forgotten is only told again. */
export class ReportedStates {
  readonly #latest = new Map<string, { readonly phase: string; readonly at: number }>();

  /** @param now milliseconds since the epoch, as in all of these */
  note(target: PersistentVolumeClaim, { phase }: Pick<CloneState, 'phase'>, now: number): void {
    const uid = target.metadata?.uid ?? '';
    if (this.#latest.get(uid)?.phase === phase) return;
    // The newest last.
    this.#latest.delete(uid);
    this.#latest.set(uid, { phase, at: now });
    for (const [other, { at }] of this.#latest) {
      if (now - at <= RECENT_MILLISECONDS) break;
      this.#latest.delete(other);
    }
  }

  /** Milliseconds until the clone's state is worth telling: 0 unless it was said to be in that phase a moment ago. */
  untilWorthReporting(target: PersistentVolumeClaim, { phase }: Pick<CloneState, 'phase'>, now: number): number {
    const latest = this.#latest.get(target.metadata?.uid ?? '');
    return latest?.phase === phase ? Math.max(0, latest.at + RECENT_MILLISECONDS - now) : 0;
  }
}
