import { userAnnotation } from '../../api/annotations.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { Caches } from '../runtime/caches.ts';

/** The annotation in which the scheduler records the node of a WaitForFirstConsumer claim's first consumer. */
export const SELECTED_NODE_ANNOTATION = 'volume.kubernetes.io/selected-node';

/** Returns whether the claim's class binds only when a consumer is scheduled. */
export function waitsForFirstConsumer(claim: PersistentVolumeClaim, caches: Pick<Caches, 'storageClasses'>): boolean {
  const name = claim.spec?.storageClassName;
  if (!name) return false;
  return caches.storageClasses.get({ namespace: '', name })?.volumeBindingMode === 'WaitForFirstConsumer';
}

/**
 * Returns whether data may be written for a claim yet. The only claims that have to wait are unbound ones of a
 * WaitForFirstConsumer class with neither a selected node nor the annotation that asks not to wait.
 */
export function mayBePopulatedNow(claim: PersistentVolumeClaim, caches: Pick<Caches, 'storageClasses'>): boolean {
  const annotations = claim.metadata?.annotations ?? {};
  return (
    Boolean(claim.spec?.volumeName) ||
    annotations[SELECTED_NODE_ANNOTATION] !== undefined ||
    isBindImmediateRequested(annotations) ||
    !waitsForFirstConsumer(claim, caches)
  );
}

/**
 * Returns whether the claim only waits for a consumer to be scheduled. At that moment, the scheduler writes the node on
 * the claim; where another write conflicts with it, the scheduler defers the pod and emits a Warning event.
 */
export function isBeingPlaced(claim: PersistentVolumeClaim, caches: Pick<Caches, 'storageClasses'>): boolean {
  return !claim.spec?.volumeName && waitsForFirstConsumer(claim, caches);
}

/**
 * Returns whether the annotation storage.bind.immediate.requested is set. Its mere presence counts, with any value but
 * "false".
 */
export function isBindImmediateRequested(annotations: Readonly<Record<string, string>>): boolean {
  const value = annotations[userAnnotation.bindImmediateRequested];
  return value !== undefined && value !== 'false';
}
