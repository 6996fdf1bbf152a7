import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { isBound } from './bound.ts';

/** Written on a claim by the volume controller of Kubernetes, which also tells the provisioner by it. */
export const PROVISIONER_ANNOTATION = 'volume.kubernetes.io/storage-provisioner';
/** Claims that no provisioner is for have no such annotation, however old they are. */
const LONGEST_MILLISECONDS = 5_000;

/**
 * Whether a claim was made so recently that its provisioner is still to be written on it. A write of ours in that moment makes that
 * one fail, and it is tried again only many seconds later.
 *
 * @param now in milliseconds since 1970
 */
export function isAwaitingProvisioner(claim: PersistentVolumeClaim, now: number): boolean {
  const { annotations = {}, creationTimestamp } = claim.metadata ?? {};
  if (isBound(claim) || annotations[PROVISIONER_ANNOTATION] !== undefined || !creationTimestamp) return false;
  return now - new Date(creationTimestamp).getTime() < LONGEST_MILLISECONDS;
}
