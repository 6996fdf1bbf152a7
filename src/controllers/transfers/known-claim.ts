import { ownerReference } from '../../kube/apply.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { keyOf } from '../../kube/key.ts';
import type { OwnerReference } from '../../kube/resource.ts';
import { workForAnnotation } from '../objects/internal-annotations.ts';
import type { ControllerContext } from '../runtime/context.ts';

/**
 * Returns the owner of a transfer's pod, which is the claim that the user knows, so that a pod to be retained outlives
 * the working claim.
 */
export function podOwner(claim: PersistentVolumeClaim): OwnerReference {
  const isWorkingClaim = claim.metadata?.annotations?.[workForAnnotation] !== undefined;
  const owner = claim.metadata?.ownerReferences?.find((reference) => reference.kind === 'PersistentVolumeClaim');
  return (isWorkingClaim && owner) || ownerReference(claim, { controller: true });
}

/** Emits a warning on the claim that the user knows, because a working claim will soon be gone. */
export function warnOfClaim(
  { caches, events }: Pick<ControllerContext, 'caches' | 'events'>,
  claim: PersistentVolumeClaim,
  warning: { readonly reason: string; readonly message: string },
): void {
  const known = caches.claims.get({ namespace: keyOf(claim).namespace, name: podOwner(claim).name });
  events.event(known ?? claim, { type: 'Warning', ...warning });
}
