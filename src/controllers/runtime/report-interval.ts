/** The share of each object in the interval between two reports: all of them together report this often, at most. */
const SHARE_MILLISECONDS = 50;

/**
 * Returns the milliseconds for which something ordinary has to last before it is reported on its object. With many
 * objects under way it grows, so that progress which nobody can follow any more does not slow down what is reported.
 *
 * @param least milliseconds where few objects are under way
 * @param underWay the number of objects that such reports are about
 */
export function reportInterval(least: number, underWay: number): number {
  return Math.max(least, underWay * SHARE_MILLISECONDS);
}
