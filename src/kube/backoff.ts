/** Delays that double with every failure. All times are in milliseconds. */
export interface BackoffOptions {
  /** The delay after the first failure. */
  readonly base: number;
  readonly max: number;
  /** Share of the delay by which it varies in either direction, so that many clients do not retry in step. */
  readonly jitter?: number;
}

/** Returns the delay after this number of consecutive failures (1 or more). */
export function backoffDelay(failures: number, options: BackoffOptions, random: () => number = Math.random): number {
  const delay = Math.min(options.max, options.base * 2 ** Math.min(failures - 1, 60));
  return delay * (1 + (options.jitter ?? 0) * (2 * random() - 1));
}

/** Counts the consecutive failures of one thing. */
export class Backoff {
  readonly #options: BackoffOptions;
  #failures = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  next(): number {
    this.#failures++;
    return backoffDelay(this.#failures, this.#options);
  }

  reset(): void {
    this.#failures = 0;
  }
}
