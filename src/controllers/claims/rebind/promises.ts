import type { PersistentVolume } from '../../../kube/builtin-resources.ts';
import type { ObjectKey } from '../../../kube/key.ts';
import { annotationIndex } from '../../../kube/object-index.ts';
import { annotatedKeys } from '../../objects/annotated-keys.ts';
import { promisedToAnnotation, promisedToClaimAnnotation } from '../../objects/internal-annotations.ts';

/** The index of volumes by the uid of the claim that they are promised to. */
export const byPromise = annotationIndex(promisedToAnnotation);

/** The index of volumes by `namespace/name` of the claim that they are promised to. */
export const byPromiseKey = annotationIndex(promisedToClaimAnnotation);

/** Returns the claim that a volume is promised to. */
export function promisedTo(volume: PersistentVolume): ObjectKey[] {
  return annotatedKeys(volume, promisedToClaimAnnotation);
}
