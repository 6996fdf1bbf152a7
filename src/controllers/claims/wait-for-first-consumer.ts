import { userAnnotation } from '../../api/annotations.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { Caches } from '../runtime/caches.ts';

/** Where the scheduler writes the node of a WaitForFirstConsumer claim's first consumer. */
export const SELECTED_NODE_ANNOTATION = 'volume.kubernetes.io/selected-node';

/** Whether the claim's class binds only when a consumer is scheduled. */
export function waitsForFirstConsumer(claim: PersistentVolumeClaim, caches: Pick<Caches, 'storageClasses'>): boolean {
  const name = claim.spec?.storageClassName;
  if (!name) return false;
  return caches.storageClasses.get({ namespace: '', name })?.volumeBindingMode === 'WaitForFirstConsumer';
}

/**
 * Whether data may be written for a claim already: always, but for an unbound claim of a WaitForFirstConsumer class
 * that has neither a selected node nor the annotation that asks not to wait.
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
 * Whether a pod is just what the claim waits for. The scheduler writes the node on the claim then, and puts the pod aside, with a Warning, where
 * somebody else writes at the same time.
 */
export function isBeingPlaced(claim: PersistentVolumeClaim, caches: Pick<Caches, 'storageClasses'>): boolean {
  return !claim.spec?.volumeName && waitsForFirstConsumer(claim, caches);
}

/** Whether the annotation storage.bind.immediate.requested is there; its mere presence asks, but for "false". */
export function isBindImmediateRequested(annotations: Readonly<Record<string, string>>): boolean {
  const value = annotations[userAnnotation.bindImmediateRequested];
  return value !== undefined && value !== 'false';
}
