import type { PodVerdict } from '../pod-verdict.ts';

/** What the verdicts on both pods mean for the clone. */
export type HostCloneVerdict =
  | Extract<PodVerdict, { state: 'pending' | 'failed' }>
  | { readonly state: 'running' }
  | { readonly state: 'succeeded' };

/** A clone is done when both ends are; it has failed when either has, and a permanent failure tells more. */
export function judgePair(source: PodVerdict, target: PodVerdict): HostCloneVerdict {
  const failures = [source, target].filter((verdict) => verdict.state === 'failed');
  const failure = failures.find((verdict) => verdict.permanent) ?? failures[0];
  if (failure) return failure;
  if (source.state === 'succeeded' && target.state === 'succeeded') return { state: 'succeeded' };
  for (const verdict of [source, target]) if (verdict.state === 'pending') return verdict;
  return { state: 'running' };
}
