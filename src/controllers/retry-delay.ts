const FIRST_MILLISECONDS = 1_000;
const LONGEST_MILLISECONDS = 5 * 60_000;

/** How long to wait before the pod that follows `restarts` failed ones is made: 1 s, 2 s, 4 s, … at most 5 minutes. */
export function retryDelay(restarts: number): number {
  return Math.min(FIRST_MILLISECONDS * 2 ** Math.max(restarts - 1, 0), LONGEST_MILLISECONDS);
}
