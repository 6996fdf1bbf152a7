import type { KubeObject } from '../kube/resource.ts';
import { keyOf, keyToString } from '../kube/key.ts';
import { WaitingError } from '../kube/errors.ts';
import { workForAnnotation } from './internal-annotations.ts';

const NAME_TAKEN_MILLISECONDS = 1_000;

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
  throw new WaitingError(
    'ErrResourceExists',
    `${object.kind ?? 'An object'} "${keyToString(keyOf(object))}" is in the way: its name is needed, and somebody else has made it; delete it, and the work goes on`,
    { after: NAME_TAKEN_MILLISECONDS },
  );
}
