import type { Result } from '../../kube/controller.ts';

/** Returns the result that asks for the earlier of two next looks, in milliseconds, if any. */
export function earlierOf(one = Infinity, other = Infinity): Result {
  const requeueAfter = Math.min(one, other);
  return Number.isFinite(requeueAfter) ? { requeueAfter } : undefined;
}
