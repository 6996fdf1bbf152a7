import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { WaitingError } from '../../../kube/errors.ts';
import { keyOf, keyToString } from '../../../kube/key.ts';
import { byMountedClaim } from '../../claims/mounted-claims.ts';
import { isMadeFor } from '../../objects/made-for.ts';
import type { Caches } from '../../runtime/caches.ts';

const LOOK_AGAIN_MILLISECONDS = 2_000;

/**
 * Requires that no pod is running on a claim that is about to be overwritten. Pods that wait for their start do not
 * count: the volume may be provisioned for one of them.
 *
 * @throws WaitingError UploadTargetInUse, naming the pods
 */
export function requireNotInUse({ pods }: Pick<Caches, 'pods'>, claim: PersistentVolumeClaim): void {
  const names = pods
    .byIndex(byMountedClaim, keyToString(keyOf(claim)))
    .filter((pod) => pod.status?.phase === 'Running' && !isMadeFor(pod, claim.metadata?.uid))
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
