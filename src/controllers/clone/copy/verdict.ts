import type { Pod } from '../../../kube/builtin-resources.ts';
import { keyOf, keyToString } from '../../../kube/key.ts';
import type { PodVerdict } from '../../transfers/pod-verdict.ts';

/** The verdict on a clone, which is derived from those on its two pods. */
export type HostCloneVerdict =
  | Extract<PodVerdict, { state: 'pending' | 'failed' }>
  | { readonly state: 'running' }
  | { readonly state: 'succeeded' };

/** Explains why nothing is done while a pod is being deleted. */
export function explainLeaving(pod: Pod): { reason: string; message: string } {
  const name = keyToString(keyOf(pod));
  // The kubelet that should end the pod does not respond.
  if (pod.status?.reason === 'NodeLost') {
    return {
      reason: 'NodeLost',
      message:
        `Node "${pod.spec?.nodeName}" of pod ${name} is lost. The copy goes on when the node is back, or ` +
        'when it is deleted because it will never be',
    };
  }
  return { reason: 'PodReplaced', message: `Pod ${name} is ending; the copy goes on with another one where it was` };
}

/**
 * Derives the verdict on a clone. The target decides about success: once it has verified and synced the data, the clone
 * is complete, whether or not the source has been notified. The clone has failed when either end has; of two failures,
 * a permanent one is more informative.
 */
export function judgePair(source: PodVerdict, target: PodVerdict): HostCloneVerdict {
  if (target.state === 'succeeded') return { state: 'succeeded' };
  const failures = [source, target].filter((verdict) => verdict.state === 'failed');
  const failure = failures.find((verdict) => verdict.permanent) ?? failures[0];
  if (failure) return failure;
  for (const verdict of [source, target]) if (verdict.state === 'pending') return verdict;
  return { state: 'running' };
}
