import { awaitsObject } from './awaited-object.ts';

const FIRST_MILLISECONDS = 1_000;
const LONGEST_MILLISECONDS = 5 * 60_000;
/** For what waits for a user's Secret or ConfigMap, so that it goes on soon after that has been made. */
const LONGEST_WAITING_MILLISECONDS = 15_000;
/** Failures after which the delay is the longest for what waits: 1 s, 2 s, 4 s, 8 s, 15 s. */
const WAITING_FAILURES = 5;

/** How an attempt ended. */
interface End {
  /** In milliseconds since the epoch; taken for now where it is not known. */
  readonly finishedAt: number | undefined;
  readonly reason: string;
}

/**
 * How long to wait still before the next attempt, in milliseconds; not positive when it is due.
 *
 * @param failures the attempts that have failed
 */
export function remainingDelay(last: End, failures: number, now: number): number {
  const longest = awaitsObject(last) ? LONGEST_WAITING_MILLISECONDS : LONGEST_MILLISECONDS;
  return (last.finishedAt ?? now) + Math.min(retryDelay(failures), longest) - now;
}

/**
 * The attempts that have failed, after one more that found an object missing. Looking for it counts no further than it takes to reach
 * the longest delay: what fails after the object has been made is soon tried again, too.
 */
export function countWaiting(failures: number): number {
  return Math.max(failures, Math.min(failures + 1, WAITING_FAILURES));
}

/** How long to wait before the pod that follows `failures` failed ones is made: 1 s, 2 s, 4 s, … */
function retryDelay(failures: number): number {
  return FIRST_MILLISECONDS * 2 ** Math.max(failures - 1, 0);
}
