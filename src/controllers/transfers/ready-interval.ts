import type { Pod } from '../../kube/builtin-resources.ts';
import { PROGRESS_INTERVAL_MILLISECONDS } from '../progress/progress-poll.ts';

/** Shortest interval between two questions to a pod whether it is ready. */
export const READY_INTERVAL_MILLISECONDS = 200;
/** Time that a pod may take to become ready before it is asked less often. */
const STARTING_MILLISECONDS = 10_000;

/**
 * Returns in how many milliseconds a pod is to be asked again whether it is ready.
 *
 * @param now milliseconds since the epoch
 */
export function untilReadyAgain({ status }: Pod, now: number): number {
  const started = Date.parse(String(status?.containerStatuses?.[0]?.state?.running?.startedAt ?? ''));
  return now - started < STARTING_MILLISECONDS ? READY_INTERVAL_MILLISECONDS : PROGRESS_INTERVAL_MILLISECONDS;
}
