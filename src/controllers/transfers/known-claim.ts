import { ownerReference } from '../../kube/apply.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { keyOf } from '../../kube/key.ts';
import type { OwnerReference } from '../../kube/resource.ts';
import { isPodRetained } from '../claims/pod-retention.ts';
import {
  retainedForAnnotation,
  retainedForClaimAnnotation,
  workForAnnotation,
  workForClaimAnnotation,
} from '../objects/internal-annotations.ts';
import type { ControllerContext } from '../runtime/context.ts';

/**
 * Returns the owner of a transfer's pod, which is the claim that the user knows, so that a pod to be retained outlives
 * the working claim.
 */
export function podOwner(claim: PersistentVolumeClaim): OwnerReference {
  return knownOwner(claim) ?? ownerReference(claim, { controller: true });
}

/** Reports whether a claim is filled in place of the one that the user knows. */
export function isWorkingClaim({ metadata }: PersistentVolumeClaim): boolean {
  return metadata?.annotations?.[workForAnnotation] !== undefined;
}

/**
 * Returns what ties a pod beside a claim to the claim with which it goes: an owner, or annotations where the pod is to
 * be retained, and the claim that the user knows is in another namespace.
 */
export function podTies(claim: PersistentVolumeClaim): {
  readonly owner?: OwnerReference;
  readonly annotations?: Readonly<Record<string, string>>;
} {
  if (!isPodRetained(claim) || !isWorkingClaim(claim)) return { owner: ownerReference(claim, { controller: true }) };
  const owner = knownOwner(claim);
  if (owner) return { owner };
  const { annotations = {} } = claim.metadata ?? {};
  return {
    annotations: {
      [retainedForAnnotation]: annotations[workForAnnotation] ?? '',
      [retainedForClaimAnnotation]: annotations[workForClaimAnnotation] ?? '',
    },
  };
}

function knownOwner(claim: PersistentVolumeClaim): OwnerReference | undefined {
  if (!isWorkingClaim(claim)) return undefined;
  return claim.metadata?.ownerReferences?.find((reference) => reference.kind === 'PersistentVolumeClaim');
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
