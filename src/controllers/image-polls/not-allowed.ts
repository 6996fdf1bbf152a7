import { WaitingError } from '../../kube/errors.ts';
import type { ObjectKey } from '../../kube/key.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import { imagePollsRole } from './role.ts';

/** Explains that the controllers have not been given a right that a poll needs. */
export function notAllowed(
  { kind }: Resource<KubeObject>,
  { namespace, name }: ObjectKey,
  cause: unknown,
): WaitingError {
  return new WaitingError(
    'ErrForbidden',
    `The controllers may not read ${kind} "${name}" in namespace "${namespace}", which the source needs: an administrator has to install ` +
      `deploy/image-polls, whose ClusterRole ${imagePollsRole} gives that right, or the source has to do without it`,
    { cause },
  );
}
