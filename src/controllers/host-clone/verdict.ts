import type { PodVerdict } from '../pod-verdict.ts';

/** What the verdicts on both pods mean for the clone. */
export type HostCloneVerdict =
  | Extract<PodVerdict, { state: 'pending' | 'failed' }>
  | { readonly state: 'running' }
  | { readonly state: 'succeeded' };

/**
 * The target decides: once it has verified and synced what came, the clone is done, whether or not the source has
 * heard of it. It has failed when either end has, and a permanent failure tells more.
 */
export function judgePair(source: PodVerdict, target: PodVerdict): HostCloneVerdict {
  if (target.state === 'succeeded') return { state: 'succeeded' };
  const failures = [source, target].filter((verdict) => verdict.state === 'failed');
  const failure = failures.find((verdict) => verdict.permanent) ?? failures[0];
  if (failure) return failure;
  for (const verdict of [source, target]) if (verdict.state === 'pending') return verdict;
  return { state: 'running' };
}
