import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';

/** Returns whether a claim is bound to its volume. */
export function isBound(claim: PersistentVolumeClaim): boolean {
  return claim.status?.phase === 'Bound' && Boolean(claim.spec?.volumeName);
}
