import { awaitsObject } from './awaited-object.ts';

const FIRST_MILLISECONDS = 1_000;
const LONGEST_MILLISECONDS = 5 * 60_000;
/**
 * Longest delay while a user's Secret or ConfigMap is missing, so that the transfer resumes soon after it has been
 * created.
 */
const LONGEST_WAITING_MILLISECONDS = 15_000;
/** Number of failures after which that longest delay is reached: 1 s, 2 s, 4 s, 8 s, 15 s. */
const WAITING_FAILURES = 5;

/** The end of an attempt. */
interface End {
  /** Time of the end in milliseconds since the epoch; undefined counts as now. */
  readonly finishedAt: number | undefined;
  readonly reason: string;
}

/**
 * Returns the milliseconds left until the next attempt; it is due when the result is not positive.
 *
 * @param failures number of failed attempts
 */
export function remainingDelay(last: End, failures: number, now: number): number {
  const longest = awaitsObject(last) ? LONGEST_WAITING_MILLISECONDS : LONGEST_MILLISECONDS;
  return (last.finishedAt ?? now) + Math.min(retryDelay(failures), longest) - now;
}

/**
 * Returns the number of failed attempts after another one that found an object missing. Such attempts stop counting
 * once the longest delay is reached, so that a failure after the object has been created is retried soon, too.
 */
export function countWaiting(failures: number): number {
  return Math.max(failures, Math.min(failures + 1, WAITING_FAILURES));
}

/** Returns the milliseconds before the pod after `failures` failed ones is created: 1 s, 2 s, 4 s, … */
function retryDelay(failures: number): number {
  return FIRST_MILLISECONDS * 2 ** Math.max(failures - 1, 0);
}
