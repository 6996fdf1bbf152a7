import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { keyOf, keyToString, type ObjectKey } from '../../../kube/key.ts';
import type { CloneSource } from '../source/source.ts';

/** Longest time in milliseconds between two looks, in which no pod can have come, written to the source, and gone. */
const LONGEST_GAP_MILLISECONDS = 5_000;
/** Milliseconds until the driver is asked again for a copy that could not begin with what was told, or began anew. */
const AGAIN_MILLISECONDS = 10 * 60_000;

/** What is being found out about the source of one copy. */
export interface Inquiry {
  /** In milliseconds since the epoch, as the times below. */
  readonly began: number;
  /** The uid of the snapshot that was taken of the source for this. */
  snapshot?: string | undefined;
  /** Whether it must not be used any more: it has been, or the source may have changed since. */
  isOver: boolean;
}

interface Entry extends Inquiry {
  /** The uids of the claim and of its source. */
  readonly about: string;
  lookedAt: number;
}

/**
 * Remembers what is being found out about the sources of copies, because a snapshot says nothing of what is written
 * after it: it is only good while somebody has looked all the time whether a pod may write to the source. What another
 * process has begun is therefore not used.
 */
export class Inquiries {
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();

  /** @param now returns milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Returns the inquiry for a copy, which begins where there was none, or none for long. It has to be looked at in
   * short intervals, each time after the source was seen to be unused.
   */
  look(claim: PersistentVolumeClaim, { uid }: Pick<CloneSource, 'uid'>): Inquiry {
    const now = this.#now();
    const key = keyToString(keyOf(claim));
    const about = `${claim.metadata?.uid} ${uid}`;
    const known = this.#entries.get(key);
    const isForgotten = known?.isOver && now - known.began > AGAIN_MILLISECONDS;
    if (known?.about === about && !isForgotten) {
      if (now - known.lookedAt > LONGEST_GAP_MILLISECONDS) known.isOver = true;
      known.lookedAt = now;
      return known;
    }
    const entry: Entry = { about, began: now, lookedAt: now, isOver: false };
    this.#entries.set(key, entry);
    return entry;
  }

  /** Has what was found out so far not used any more. */
  end(claim: PersistentVolumeClaim): void {
    const known = this.#entries.get(keyToString(keyOf(claim)));
    if (known) known.isOver = true;
  }

  /** Forgets a claim that is complete, or gone. */
  forget(claim: ObjectKey): void {
    this.#entries.delete(keyToString(claim));
  }
}
