import { keyFromString, type ObjectKey } from '../../kube/key.ts';
import type { KubeObject } from '../../kube/resource.ts';
import {
  promisedToAnnotation,
  promisedToClaimAnnotation,
  retainedForAnnotation,
  retainedForClaimAnnotation,
  workForAnnotation,
  workForClaimAnnotation,
} from '../objects/internal-annotations.ts';
import type { Caches } from '../runtime/caches.ts';

/** The annotations that name a claim for which an object was made, by its key, and by its uid. */
const NAMING = [
  [workForClaimAnnotation, workForAnnotation],
  [promisedToClaimAnnotation, promisedToAnnotation],
  [retainedForClaimAnnotation, retainedForAnnotation],
] as const;

/**
 * Returns the keys of the claims that an object was made for, as far as they are gone or replaced. While a claim is
 * there, nothing can be an orphan of it, however often its objects change.
 */
export function orphanedBy({ metadata }: KubeObject, { claims }: Pick<Caches, 'claims'>): ObjectKey[] {
  const { annotations = {} } = metadata ?? {};
  return NAMING.flatMap(([naming, identifying]) => {
    const named = annotations[naming];
    if (named === undefined) return [];
    const key = keyFromString(named);
    const uid = claims.get(key)?.metadata?.uid;
    return uid !== undefined && uid === annotations[identifying] ? [] : [key];
  });
}
