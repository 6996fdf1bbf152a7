import type { Pod } from '../../kube/builtin-resources.ts';
import { delay } from '../../kube/delay.ts';
import { PROGRESS_PORT, type TransferProgress } from '../../protocol/transfer-pod.ts';
import { FairLimit } from './fair-limit.ts';
import { fetchProgress } from './fetch-progress.ts';

/** Shortest interval between two reports of a transfer's progress. */
export const PROGRESS_INTERVAL_MILLISECONDS = 1_000;
/**
 * Age below which an answer is recent. It is a little shorter than the interval, because a timer may fire early by the
 * clock.
 */
const RECENT_MILLISECONDS = PROGRESS_INTERVAL_MILLISECONDS - 50;
/** Longest time that a worker waits for an answer; a later answer is reported by the next reconciliation. */
const PATIENCE_MILLISECONDS = 100;
/** Age at which a poll is forgotten, unless its pod has been polled again. */
const FORGOTTEN_MILLISECONDS = 10_000;
/**
 * Limits of concurrent polls. A poll takes up to a second and 64 KiB. Pods that do not answer delay only those of their
 * own namespace.
 */
const LIMITS = { atOnce: 32, ofOneGroup: 8, waitingOfOneGroup: 256 };

interface Poll {
  /** Time of the request in milliseconds. */
  readonly askedAt: number;
  /** Whether the caller stopped waiting before there was an answer. */
  isLate: boolean;
  progress?: TransferProgress | undefined;
}

export interface ProgressPollOptions {
  readonly fetch?: (origin: string) => Promise<TransferProgress | undefined>;
  /** Returns the current time in milliseconds since any fixed point. */
  readonly now?: () => number;
  /** Milliseconds to wait for an answer. */
  readonly patience?: number;
}

/**
 * Polls the progress of transfer pods, at most once a second each: writing a report wakes the reconciler that wrote it,
 * which would otherwise poll again at once. All controllers share one instance, so that their polls are bounded in
 * total.
 */
export class ProgressPoll {
  readonly #limit = new FairLimit(LIMITS);
  /** Latest poll of each pod by its UID, the newest last. */
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
   * Polls a pod.
   *
   * @returns undefined if the pod was polled within the last second; its progress is undefined if the pod does not
   * answer, or has not answered yet. A pod that was late the last time is not waited for.
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
