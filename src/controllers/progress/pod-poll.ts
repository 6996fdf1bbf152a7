import type { Pod } from '../../kube/builtin-resources.ts';
import { delay } from '../../kube/delay.ts';
import { PROGRESS_PORT } from '../../protocol/transfer-pod.ts';
import { FairLimit } from './fair-limit.ts';

/**
 * Time by which an answer counts as old before the interval is over, because a timer may fire early by the clock.
 */
const EARLY_MILLISECONDS = 50;
/** Longest time that a worker waits for an answer; a later answer is reported by the next reconciliation. */
const PATIENCE_MILLISECONDS = 100;
/** Age at which a poll is forgotten, unless its pod has been polled again. */
const FORGOTTEN_MILLISECONDS = 10_000;
/**
 * Limits of concurrent polls. A poll takes up to a second and 64 KiB. Pods that do not answer delay only those of their
 * own namespace.
 */
const LIMITS = { atOnce: 32, ofOneGroup: 8, waitingOfOneGroup: 256 };

interface Poll<Answer> {
  /** Time of the request in milliseconds. */
  readonly askedAt: number;
  /** Whether the caller stopped waiting before there was an answer. */
  isLate: boolean;
  answer?: Answer | undefined;
}

export interface PodPollOptions<Answer> {
  /** Asks the pod at `http://address:port`; undefined where it does not answer. */
  readonly fetch: (origin: string) => Promise<Answer | undefined>;
  /** Shortest time between two polls of one pod, in milliseconds. */
  readonly interval: number;
  /** Returns the current time in milliseconds since any fixed point. */
  readonly now?: (() => number) | undefined;
  /** Milliseconds to wait for an answer. */
  readonly patience?: number | undefined;
}

/** Polls transfer pods, each at most once in an interval. All polls of one instance are bounded in total. */
export class PodPoll<Answer> {
  readonly #limit = new FairLimit(LIMITS);
  /** Latest poll of each pod by its UID, the newest last. */
  readonly #polls = new Map<string, Poll<Answer>>();
  readonly #fetch;
  readonly #interval;
  readonly #now;
  readonly #patience;

  constructor({ fetch, interval, now, patience }: PodPollOptions<Answer>) {
    this.#fetch = fetch;
    this.#interval = interval;
    this.#now = now ?? (() => performance.now());
    this.#patience = patience ?? PATIENCE_MILLISECONDS;
  }

  /**
   * Polls a pod.
   *
   * @returns undefined if the pod was polled within the last interval; its answer is undefined if the pod does not
   * answer, or has not answered yet. A pod that was late the last time is not waited for.
   */
  async poll(pod: Pod): Promise<{ readonly answer: Answer | undefined } | undefined> {
    const { uid = '', namespace = '' } = pod.metadata ?? {};
    const now = this.#now();
    const last = this.#polls.get(uid);
    if (last && now - last.askedAt < this.#interval - EARLY_MILLISECONDS) return undefined;
    this.#forget(now);
    const poll: Poll<Answer> = { askedAt: now, isLate: last?.isLate ?? false };
    this.#polls.delete(uid);
    this.#polls.set(uid, poll);
    if (!pod.status?.podIP) return { answer: undefined };
    const answer = this.#take(poll, namespace, originOf(pod.status.podIP));
    if (poll.isLate) return { answer: last?.answer };
    poll.isLate = true;
    const answered = new AbortController();
    await Promise.race([answer, delay(this.#patience, answered.signal)]);
    answered.abort();
    return { answer: poll.answer };
  }

  async #take(poll: Poll<Answer>, namespace: string, origin: string): Promise<void> {
    const started = this.#now();
    poll.answer = await this.#limit.run(namespace, () => this.#fetch(origin));
    if (this.#now() - started <= this.#patience) poll.isLate = false;
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
