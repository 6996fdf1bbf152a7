import type { PersistentVolumeClaim, Pod } from '../../../kube/builtin-resources.ts';
import { WaitingError } from '../../../kube/errors.ts';
import { keyOf, keyToString } from '../../../kube/key.ts';
import { byMountedClaim } from '../../claims/mounted-claims.ts';
import { isMadeFor } from '../../objects/made-for.ts';
import type { Caches } from '../../runtime/caches.ts';

const LOOK_AGAIN_MILLISECONDS = 2_000;

/**
 * Requires that no pod has begun to run on a claim that is about to be overwritten. Pods that wait for their start do
 * not count: the volume may be provisioned for one of them.
 *
 * @throws WaitingError UploadTargetInUse, naming the pods
 */
export function requireNotInUse({ pods }: Pick<Caches, 'pods'>, claim: PersistentVolumeClaim): void {
  const names = pods
    .byIndex(byMountedClaim, keyToString(keyOf(claim)))
    .filter((pod) => mayUseItsVolumes(pod) && !isMadeFor(pod, claim.metadata?.uid))
    .map(({ metadata }) => `"${metadata?.name}"`)
    .sort();
  if (names.length === 0) return;
  const many = names.length > 1;
  throw new WaitingError(
    'UploadTargetInUse',
    `${many ? 'Pods' : 'Pod'} ${names.join(', ')} in namespace "${keyOf(claim).namespace}" ${many ? 'use' : 'uses'} claim ` +
      `"${keyOf(claim).name}", which an upload would overwrite; stop ${many ? 'them' : 'it'}, and the upload can begin`,
    { after: LOOK_AGAIN_MILLISECONDS },
  );
}

/** A pod has its volumes mounted when its first init container begins, and perhaps still on a node that is lost. */
function mayUseItsVolumes({ status }: Pod): boolean {
  const { phase = 'Pending', initContainerStatuses = [] } = status ?? {};
  if (phase === 'Succeeded' || phase === 'Failed') return false;
  return phase !== 'Pending' || initContainerStatuses.some(({ state }) => state?.running ?? state?.terminated);
}
