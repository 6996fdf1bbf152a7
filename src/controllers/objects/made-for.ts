import { EXCLUDE_FROM_BACKUP_LABEL, objectLabels } from '../../api/labels.ts';
import { WaitingError } from '../../kube/errors.ts';
import { keyOf, keyToString } from '../../kube/key.ts';
import type { KubeObject } from '../../kube/resource.ts';
import { baseOfAnnotation, workForAnnotation, workForClaimAnnotation } from './internal-annotations.ts';

const NAME_TAKEN_MILLISECONDS = 5_000;

/**
 * Returns the labels and marks of an object that is made for a claim. It is excluded from backups, because whoever
 * restores it is not the controllers, and may not write the marks.
 */
export function marksFor(claim: KubeObject): { labels: Record<string, string>; annotations: Record<string, string> } {
  return {
    labels: { ...objectLabels, [EXCLUDE_FROM_BACKUP_LABEL]: 'true' },
    annotations: {
      [workForAnnotation]: claim.metadata?.uid ?? '',
      [workForClaimAnnotation]: keyToString(keyOf(claim)),
    },
  };
}

/**
 * Reports whether the controllers made an object for a claim. Its mark is reliable: admission
 * (deploy/admission/controller-marks.yaml) prevents others from writing or changing it, while anybody can choose names,
 * labels and owner references.
 *
 * @param uid of the claim
 */
export function isMadeFor(object: KubeObject, uid: string | undefined): boolean {
  return uid !== undefined && object.metadata?.annotations?.[workForAnnotation] === uid;
}

/** Reports whether what was made for a claim goes with that work, and is not kept for copies to come. */
export function isTemporary({ metadata }: KubeObject): boolean {
  return metadata?.annotations?.[baseOfAnnotation] === undefined;
}

/**
 * Returns an object that has one of our names, if the controllers made it for the claim.
 *
 * @throws WaitingError ErrResourceExists where somebody else made it
 */
export function requireMadeFor<T extends KubeObject>(object: T | undefined, uid: string | undefined): T | undefined {
  if (!object || isMadeFor(object, uid)) return object;
  throw nameTaken(object.kind ?? 'An object', object, 'somebody else has made it');
}

/**
 * Returns the error for a required name that a foreign object has. It has a retry delay of its own, because no watch
 * reports that the name is free.
 *
 * @param object the existing object, or the one to create
 */
export function nameTaken(
  kind: string,
  object: KubeObject,
  why: string,
  options: { readonly after?: number; readonly cause?: unknown } = {},
): WaitingError {
  return new WaitingError(
    'ErrResourceExists',
    `${kind} "${keyToString(keyOf(object))}" is in the way: its name is needed, and ${why}; delete it, and the work goes on`,
    { after: NAME_TAKEN_MILLISECONDS, ...options },
  );
}
