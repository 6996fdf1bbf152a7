import type { Pod } from '../../kube/builtin-resources.ts';
import type { Result } from '../../kube/controller.ts';
import { keyOf, keyToString } from '../../kube/key.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { latestWarning } from '../runtime/latest-warning.ts';

/** Milliseconds that a pod may take to start before its events are read, and between two reads. */
const PATIENCE_MILLISECONDS = 4_000;

/**
 * What a kubelet is told about an object that the API server has not yet noted for its rights, and milliseconds until
 * that is no longer a delay.
 */
const NOT_YET_NOTED = 'no relationship found between node';
const NOTED_WITHIN_MILLISECONDS = 60_000;

/**
 * Explains why a scheduled pod does not start: some causes, such as a volume that cannot be mounted, are only reported
 * by its events.
 *
 * @returns the cause, if there is one, and when to look again
 */
export async function explainSlowStart(
  context: Pick<ControllerContext, 'client' | 'now'>,
  pod: Pod,
): Promise<{ readonly cause?: { readonly reason: string; readonly message: string }; readonly next: Result }> {
  const scheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'True');
  const since = Date.parse(scheduled?.lastTransitionTime ?? '');
  if (Number.isNaN(since)) return { next: undefined };
  const left = since + PATIENCE_MILLISECONDS - context.now();
  if (left > 0) return { next: { requeueAfter: left } };
  const next = { requeueAfter: PATIENCE_MILLISECONDS };
  // A node has been found: why it was not found earlier is over.
  const warning = await latestWarning(context, pod, { counts: (reason) => reason !== 'FailedScheduling' });
  const isDelay = warning?.includes(NOT_YET_NOTED) && context.now() - since < NOTED_WITHIN_MILLISECONDS;
  if (!warning || isDelay) return { next };
  const place = `Pod ${keyToString(keyOf(pod))} does not start on node "${pod.spec?.nodeName}"`;
  return { cause: { reason: 'ErrStartingPod', message: `${place}: ${warning}` }, next };
}
