const FIRST_MILLISECONDS = 1_000;
const LONGEST_MILLISECONDS = 5 * 60_000;

/**
 * How long to wait still before the next attempt, in milliseconds; not positive when it is due.
 *
 * @param finishedAt when the last attempt ended, in milliseconds since the epoch; taken for now where it is not known
 * @param restarts the attempts that have failed
 */
export function remainingDelay(finishedAt: number | undefined, restarts: number, now: number): number {
  return (finishedAt ?? now) + retryDelay(restarts) - now;
}

/** How long to wait before the pod that follows `restarts` failed ones is made: 1 s, 2 s, 4 s, … at most 5 minutes. */
function retryDelay(restarts: number): number {
  return Math.min(FIRST_MILLISECONDS * 2 ** Math.max(restarts - 1, 0), LONGEST_MILLISECONDS);
}
