import type { Key } from '../../kube/key.ts';
import { annotationIndex } from '../../kube/object-index.ts';
import type { KubeObject } from '../../kube/resource.ts';
import { annotatedKeys } from './annotated-keys.ts';
import { workForAnnotation, workForClaimAnnotation } from './internal-annotations.ts';

/** Index of what was made for a claim, by the uid of that. */
export const byTarget = annotationIndex(workForAnnotation);

/** Index of what was made for a claim, by `namespace/name` of that. */
export const byTargetKey = annotationIndex(workForClaimAnnotation);

/** The claim that an object was made for. */
export function workedFor(object: KubeObject): Key[] {
  return annotatedKeys(object, workForClaimAnnotation);
}
