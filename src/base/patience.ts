import { setTimeout as sleep } from 'node:timers/promises';
import { TransferError } from './errors.ts';
import { formatDuration } from './format-duration.ts';
import type { Progress } from './progress.ts';

export interface PatienceOptions {
  /** How long to go on without any progress, in milliseconds. */
  giveUpAfter: number;
  /** The same for SourceStalled: who can be reached and sends nothing is seldom helped by waiting. As long as for others unless given. */
  giveUpStalledAfter?: number;
  /** The first wait, in milliseconds; it doubles from failure to failure. */
  firstDelay: number;
  /** The longest wait, in milliseconds. */
  longestDelay: number;
  /** How long a failure is the ordinary course of things, and nothing but a line in the log, in milliseconds; not at all unless given. */
  quietFor?: number;
}

/** A server, or the network, is away for minutes when it is restarted, and to go on in this process costs least: a packed image has to be read again by another one. */
export const defaultPatience: PatienceOptions = {
  giveUpAfter: 600_000,
  giveUpStalledAfter: 120_000,
  firstDelay: 500,
  longestDelay: 30_000,
};

/** Fewer bytes between failures, all together, are no progress: a server that sends one for each request would never be given up. */
const LEAST_PROGRESS = 256 * 1024;
/** Who asks to be left alone for longer is asked again earlier. */
const LONGEST_RETRY_AFTER = 120_000;

/** Decides whether, and after which wait, something that failed is tried again. Progress makes it patient anew. */
export class Patience {
  readonly #options: PatienceOptions;
  readonly #progress: Progress;
  readonly #signal: AbortSignal | undefined;
  #delay: number;
  #since: number | undefined;
  #stalledSince: number | undefined;
  #attempts = 0;
  /** Since the first failure, in bytes. */
  #received = 0;

  constructor(options: PatienceOptions, progress: Progress, signal?: AbortSignal) {
    this.#options = options;
    this.#progress = progress;
    this.#signal = signal;
    this.#delay = options.firstDelay;
  }

  /** To be called whenever the work has moved on. */
  renew(): void {
    if (this.#since === undefined) return;
    this.#since = undefined;
    this.#stalledSince = undefined;
    this.#attempts = 0;
    this.#received = 0;
    this.#delay = this.#options.firstDelay;
    this.#progress.recovered();
  }

  /** To be called for bytes that have arrived: enough of them move the work on. */
  received(bytes: number): void {
    if (this.#since === undefined) return;
    this.#received += bytes;
    if (this.#received >= LEAST_PROGRESS) this.renew();
  }

  /**
   * Waits until it is time to try again.
   *
   * @throws the failure itself, when it is permanent; with how long it was tried, when there was no progress for too long
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

  /** Runs `work` until it succeeds, fails permanently, or patience ends. */
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
