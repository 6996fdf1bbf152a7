/** The share of each object in the interval between two reports: all of them together report this often, at most. */
const SHARE_MILLISECONDS = 100;
/** The interval does not grow beyond this. */
const LONGEST_MILLISECONDS = 50_000;

/**
 * Returns the milliseconds for which something ordinary has to last before it is reported on its object. With many
 * objects under way it grows, so that progress which nobody can follow any more does not slow down what is reported.
 *
 * @param least milliseconds where few objects are under way
 * @param underWay the number of objects that such reports are about
 */
export function reportInterval(least: number, underWay: number): number {
  return Math.max(least, Math.min(LONGEST_MILLISECONDS, underWay * SHARE_MILLISECONDS));
}
