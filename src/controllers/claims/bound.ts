import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';

/** Whether a claim has its volume. */
export function isBound(claim: PersistentVolumeClaim): boolean {
  return claim.status?.phase === 'Bound' && Boolean(claim.spec?.volumeName);
}
