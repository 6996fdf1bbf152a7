import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { isBound } from './bound.ts';

/** The annotation that the volume controller of Kubernetes writes on a claim to tell the provisioner to act. */
export const PROVISIONER_ANNOTATION = 'volume.kubernetes.io/storage-provisioner';
/** Returns whether the volume controller has named the provisioner of a claim, or the claim needs none any more. */
export function hasProvisioner(claim: PersistentVolumeClaim): boolean {
  return isBound(claim) || claim.metadata?.annotations?.[PROVISIONER_ANNOTATION] !== undefined;
}

/** The wait is limited, because claims without a provisioner never get the annotation. */
const LONGEST_MILLISECONDS = 5_000;

/**
 * Returns whether a claim is so new that the volume controller is still about to write its provisioner on it. A
 * concurrent write by Diskpress would make that write fail, and it is retried only many seconds later.
 *
 * @param now milliseconds since the epoch
 */
export function isAwaitingProvisioner(claim: PersistentVolumeClaim, now: number): boolean {
  const { creationTimestamp } = claim.metadata ?? {};
  if (hasProvisioner(claim) || !creationTimestamp) return false;
  return now - new Date(creationTimestamp).getTime() < LONGEST_MILLISECONDS;
}
