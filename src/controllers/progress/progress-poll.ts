import { PROGRESS_PORT, type TransferProgress } from '../../protocol/transfer-pod.ts';
import type { Pod } from '../../kube/builtin-resources.ts';
import { delay } from '../../kube/delay.ts';
import { FairLimit } from './fair-limit.ts';
import { fetchProgress } from './fetch-progress.ts';

/** How often a transfer's progress is worth telling. */
export const PROGRESS_INTERVAL_MILLISECONDS = 1_000;
/** A little less, since a timer may be early by the clock. */
const RECENT_MILLISECONDS = PROGRESS_INTERVAL_MILLISECONDS - 50;
/** A worker waits no longer for an answer; one that comes later is told at the next look. */
const PATIENCE_MILLISECONDS = 100;
/** What a pod answered that nobody has asked about since is forgotten. */
const FORGOTTEN_MILLISECONDS = 10_000;
/** A poll takes up to a second and 64 KiB. Pods that do not answer hold up those of their own namespace only. */
const LIMITS = { atOnce: 32, ofOneGroup: 8, waitingOfOneGroup: 256 };

interface Poll {
  /** Milliseconds. */
  readonly askedAt: number;
  /** Whether whoever asked has gone without an answer. */
  isLate: boolean;
  progress?: TransferProgress | undefined;
}

export interface ProgressPollOptions {
  readonly fetch?: (origin: string) => Promise<TransferProgress | undefined>;
  /** Milliseconds, from any time. */
  readonly now?: () => number;
  /** Milliseconds that an answer is waited for. */
  readonly patience?: number;
}

/**
 * Asks transfer pods how far they are, each of them once a second at most: what is told wakes whoever tells it, and would be asked
 * for again at once. One for all controllers, so that their polls together are bounded.
 */
export class ProgressPoll {
  readonly #limit = new FairLimit(LIMITS);
  /** The last one of each pod by its uid; the newest comes last. */
  readonly #polls = new Map<string, Poll>();
  readonly #fetch;
  readonly #now;
  readonly #patience;

  constructor(options: ProgressPollOptions = {}) {
    this.#fetch = options.fetch ?? fetchProgress;
    this.#now = options.now ?? (() => performance.now());
    this.#patience = options.patience ?? PATIENCE_MILLISECONDS;
  }

  /**
   * Undefined where the pod was asked within the last second; the progress in it is undefined where the pod does not answer, or
   * has not yet. A pod that was late the last time is not waited for.
   */
  async ask(pod: Pod): Promise<{ readonly progress: TransferProgress | undefined } | undefined> {
    const { uid = '', namespace = '' } = pod.metadata ?? {};
    const now = this.#now();
    const last = this.#polls.get(uid);
    if (last && now - last.askedAt < RECENT_MILLISECONDS) return undefined;
    this.#forget(now);
    const poll: Poll = { askedAt: now, isLate: last?.isLate ?? false };
    this.#polls.delete(uid);
    this.#polls.set(uid, poll);
    if (!pod.status?.podIP) return { progress: undefined };
    const answer = this.#take(poll, namespace, originOf(pod.status.podIP));
    if (poll.isLate) return { progress: last?.progress };
    poll.isLate = true;
    const answered = new AbortController();
    await Promise.race([answer, delay(this.#patience, answered.signal)]);
    answered.abort();
    return { progress: poll.progress };
  }

  async #take(poll: Poll, namespace: string, origin: string): Promise<void> {
    const started = this.#now();
    poll.progress = await this.#limit.run(namespace, () => this.#fetch(origin));
    if (poll.progress && this.#now() - started <= this.#patience) poll.isLate = false;
  }

  #forget(now: number): void {
    for (const [uid, { askedAt }] of this.#polls) {
      if (now - askedAt <= FORGOTTEN_MILLISECONDS) break;
      this.#polls.delete(uid);
    }
  }
}

function originOf(address: string): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${PROGRESS_PORT}`;
}
