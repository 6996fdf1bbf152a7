import { NO_PROVISIONER, type PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { Caches } from '../runtime/caches.ts';
import { isBound } from './bound.ts';

/** The annotation that the volume controller of Kubernetes writes on a claim to tell the provisioner to act. */
export const PROVISIONER_ANNOTATION = 'volume.kubernetes.io/storage-provisioner';
/** Returns whether the volume controller has named the provisioner of a claim, or the claim needs none any more. */
export function hasProvisioner(claim: PersistentVolumeClaim): boolean {
  return isBound(claim) || claim.metadata?.annotations?.[PROVISIONER_ANNOTATION] !== undefined;
}

/** A volume controller with much to do takes seconds to name the provisioner of the claim's class. */
const WITH_PROVISIONER_MILLISECONDS = 15_000;
/** A claim without a provisioner never gets the annotation, because it binds to a volume that exists already. */
const WITHOUT_PROVISIONER_MILLISECONDS = 2_000;

/**
 * Returns for how many milliseconds at most a claim is left alone, so that the volume controller can write its
 * provisioner on it. A concurrent write by Diskpress would make that write fail, of which the volume controller emits a
 * Warning event, and it is retried only many seconds later.
 */
export function longestProvisionerWait(
  { spec }: PersistentVolumeClaim,
  caches: Pick<Caches, 'storageClasses'>,
): number {
  const name = spec?.storageClassName ?? '';
  const provisioner = caches.storageClasses.get({ namespace: '', name })?.provisioner ?? NO_PROVISIONER;
  return provisioner === NO_PROVISIONER ? WITHOUT_PROVISIONER_MILLISECONDS : WITH_PROVISIONER_MILLISECONDS;
}

/**
 * Returns whether a claim is so new that the volume controller is still about to write its provisioner on it.
 *
 * @param now milliseconds since the epoch
 */
export function isAwaitingProvisioner(
  claim: PersistentVolumeClaim,
  caches: Pick<Caches, 'storageClasses'>,
  now: number,
): boolean {
  const { creationTimestamp } = claim.metadata ?? {};
  if (hasProvisioner(claim) || !creationTimestamp) return false;
  return now - Date.parse(creationTimestamp) < longestProvisionerWait(claim, caches);
}
