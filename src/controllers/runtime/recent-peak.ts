/** The time after which only half of a peak counts. */
const HALF_LIFE_MILLISECONDS = 30_000;

/**
 * The greatest of the latest numbers. Of many objects that begin together, the last ones to end have waited no shorter
 * than the first ones, although few are left by then.
 */
export class RecentPeak {
  #peak = 0;
  /** Milliseconds since the epoch. */
  #since = 0;

  /**
   * Takes a number, and returns it, or what still counts of an earlier one, whichever is greater.
   *
   * @param now milliseconds since the epoch
   */
  of(number: number, now: number): number {
    const left = this.#peak * 2 ** (-Math.abs(now - this.#since) / HALF_LIFE_MILLISECONDS);
    if (number < left) return left;
    this.#peak = number;
    this.#since = now;
    return number;
  }

  /** Forgets what was. */
  reset(): void {
    this.#peak = 0;
  }
}
