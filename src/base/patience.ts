import { setTimeout as sleep } from 'node:timers/promises';
import { TransferError } from './errors.ts';
import { formatDuration } from './format-duration.ts';
import type { Progress } from './progress.ts';

export interface PatienceOptions {
  /** How long to retry without any progress, in milliseconds. */
  giveUpAfter: number;
  /**
   * The same for SourceStalled, in milliseconds; by default `giveUpAfter`. Waiting seldom helps where a server is
   * reachable but sends nothing.
   */
  giveUpStalledAfter?: number;
  /** The first delay, in milliseconds; it doubles with each failure. */
  firstDelay: number;
  /** The longest delay, in milliseconds. */
  longestDelay: number;
  /** How long failures are considered ordinary and are only logged, in milliseconds; by default not at all. */
  quietFor?: number;
}

/**
 * A restart of a server or a network outage takes minutes. Retrying in this process is the cheapest: another one would
 * have to read a compressed image again from its start.
 */
export const defaultPatience: PatienceOptions = {
  giveUpAfter: 600_000,
  giveUpStalledAfter: 120_000,
  firstDelay: 500,
  longestDelay: 30_000,
};

/**
 * Fewer bytes between failures, all together, do not count as progress: a server that sends one byte for each request
 * would never be given up on.
 */
const LEAST_PROGRESS = 256 * 1024;
/** The longest delay that a server can ask for, in milliseconds. */
const LONGEST_RETRY_AFTER = 120_000;

/** Decides whether a failed operation is retried, and after which delay. Progress resets it. */
export class Patience {
  readonly #options: PatienceOptions;
  readonly #progress: Progress;
  readonly #signal: AbortSignal | undefined;
  #delay: number;
  #since: number | undefined;
  #stalledSince: number | undefined;
  #attempts = 0;
  /** Bytes received since the first failure. */
  #received = 0;

  constructor(options: PatienceOptions, progress: Progress, signal?: AbortSignal) {
    this.#options = options;
    this.#progress = progress;
    this.#signal = signal;
    this.#delay = options.firstDelay;
  }

  /** Resets the failures; to be called whenever the work has progressed. */
  renew(): void {
    if (this.#since === undefined) return;
    this.#since = undefined;
    this.#stalledSince = undefined;
    this.#attempts = 0;
    this.#received = 0;
    this.#delay = this.#options.firstDelay;
    this.#progress.recovered();
  }

  /** Counts received bytes; enough of them are progress. */
  received(bytes: number): void {
    if (this.#since === undefined) return;
    this.#received += bytes;
    if (this.#received >= LEAST_PROGRESS) this.renew();
  }

  /**
   * Waits until it is time to retry.
   *
   * @throws the failure itself where it is permanent, or, after too long without progress, with how long it was retried
   */
  async afterFailure(failure: TransferError): Promise<void> {
    this.#signal?.throwIfAborted();
    const now = performance.now();
    this.#since ??= now;
    this.#stalledSince = failure.code === 'SourceStalled' ? (this.#stalledSince ?? now) : undefined;
    this.#attempts += 1;
    if (failure.permanent) throw failure;
    if (this.#isExhausted(now)) throw this.#givenUp(failure, now - this.#since);
    const jittered = this.#delay * (0.75 + Math.random() / 4);
    const wait = Math.max(jittered, Math.min(failure.retryAfter ?? 0, LONGEST_RETRY_AFTER));
    this.#delay = Math.min(this.#delay * 2, this.#options.longestDelay);
    if (now - this.#since < (this.#options.quietFor ?? 0)) this.#progress.note('waiting', { for: failure.message });
    else this.#progress.failed(failure, wait);
    await sleep(wait, undefined, { signal: this.#signal }).catch((error: unknown) => {
      this.#signal?.throwIfAborted();
      throw error;
    });
  }

  #isExhausted(now: number): boolean {
    const { giveUpAfter, giveUpStalledAfter = giveUpAfter } = this.#options;
    return now - (this.#since ?? now) >= giveUpAfter || now - (this.#stalledSince ?? Infinity) >= giveUpStalledAfter;
  }

  #givenUp(failure: TransferError, duration: number): TransferError {
    if (this.#attempts === 1) return failure;
    const tried = `tried ${this.#attempts} times in ${formatDuration(duration / 1000)}`;
    return new TransferError(failure.code, `${failure.message} (${tried})`, { cause: failure, remedy: failure.remedy });
  }

  /** Runs `work` until it succeeds, fails permanently, or patience runs out. */
  async persist<Result>(work: () => Promise<Result>, asFailure: (error: unknown) => TransferError): Promise<Result> {
    for (;;) {
      try {
        const result = await work();
        this.renew();
        return result;
      } catch (error) {
        await this.afterFailure(asFailure(error));
      }
    }
  }
}
