import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { workingClaim, type WorkingClaimOptions } from '../../claims/population/working-claim.ts';
import type { CloneWork } from './phase.ts';

/**
 * Returns a temporary claim of a clone in the source's namespace, where the source's own annotations shape its pods.
 */
export function claimBesideSource(
  { target, source, context }: CloneWork,
  options: Omit<WorkingClaimOptions, 'localAnnotations'>,
): PersistentVolumeClaim {
  const local = source.kind === 'PersistentVolumeClaim' ? context.caches.claims.get(source.key) : undefined;
  return workingClaim(target, { ...options, localAnnotations: local?.metadata?.annotations });
}
