import type { Lifetime } from '../runtime/lifetimes.ts';

/** Time is looked at again after this at the latest: clocks are set. */
const LONGEST_WAIT_MILLISECONDS = 10 * 60_000;

/** The longest time for which a new authority or key is made known before anything is signed with it. */
const LONGEST_ANNOUNCEMENT_MILLISECONDS = 5 * 60_000;

/** Returns the milliseconds for which a successor is made known before it is used. */
export function announcementOf({ renewBefore }: Lifetime): number {
  return Math.min(LONGEST_ANNOUNCEMENT_MILLISECONDS, renewBefore / 4);
}

/** Returns what a reconciler has to wait until a time, both in milliseconds since the epoch. */
export function lookAgain(time: number, now: number): { requeueAfter: number } {
  return { requeueAfter: Math.min(Math.max(time - now, 0), LONGEST_WAIT_MILLISECONDS) };
}
