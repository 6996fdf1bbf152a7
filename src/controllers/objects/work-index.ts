import type { ObjectKey } from '../../kube/key.ts';
import { annotationIndex } from '../../kube/object-index.ts';
import type { KubeObject } from '../../kube/resource.ts';
import { annotatedKeys } from './annotated-keys.ts';
import { retainedForClaimAnnotation, workForAnnotation, workForClaimAnnotation } from './internal-annotations.ts';

/** Index of the objects made for a claim, by the UID of the claim. */
export const byTarget = annotationIndex(workForAnnotation);

/** Index of the objects made for a claim, by `namespace/name` of the claim. */
export const byTargetKey = annotationIndex(workForClaimAnnotation);

/** Index of the pods that are retained in another namespace than their target claim, by `namespace/name` of that. */
export const byRetainingClaimKey = annotationIndex(retainedForClaimAnnotation);

/** Returns the key of the claim that an object was made for. */
export function workedFor(object: KubeObject): ObjectKey[] {
  return annotatedKeys(object, workForClaimAnnotation);
}
