import { EXCLUDE_FROM_BACKUP_LABEL, objectLabels } from '../../api/labels.ts';
import { WaitingError } from '../../kube/errors.ts';
import { keyOf, keyToString } from '../../kube/key.ts';
import type { KubeObject } from '../../kube/resource.ts';
import { workForAnnotation, workForClaimAnnotation } from './internal-annotations.ts';

const NAME_TAKEN_MILLISECONDS = 5_000;

/**
 * The labels and marks of an object that is made for a claim. It is of no use in a backup: whoever restores it is not the controllers, and
 * may not write the marks.
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
 * Whether the controllers made an object for a claim. Its mark tells: admission (deploy/admission/controller-marks.yaml) lets nobody
 * else write or change it, while names, labels and owner references are anybody's.
 *
 * @param uid of the claim
 */
export function isMadeFor(object: KubeObject, uid: string | undefined): boolean {
  return uid !== undefined && object.metadata?.annotations?.[workForAnnotation] === uid;
}

/**
 * What was found under a name of ours, where it is ours.
 *
 * @throws WaitingError ErrResourceExists where it is somebody else's
 */
export function requireMadeFor<T extends KubeObject>(object: T | undefined, uid: string | undefined): T | undefined {
  if (!object || isMadeFor(object, uid)) return object;
  throw nameTaken(object.kind ?? 'An object', object, 'somebody else has made it');
}

/**
 * That a name which is needed is somebody else's. No watch tells when it is free.
 *
 * @param object that is there, or was to be made
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
