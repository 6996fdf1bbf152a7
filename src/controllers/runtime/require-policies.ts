import { WaitingError } from '../../kube/errors.ts';
import type { ControllerContext } from './context.ts';

const LOOK_AGAIN_MILLISECONDS = 10_000;

/**
 * Requires that the API server checks who may clone from another namespace.
 *
 * @throws WaitingError PolicyMissing while a policy is not in force
 */
export function requirePolicies({ policies }: Pick<ControllerContext, 'policies'>): void {
  const { problem } = policies;
  if (!problem) return;
  throw new WaitingError(
    'PolicyMissing',
    `Clones from other namespaces wait: ${problem}, so nobody's right to clone is checked; install deploy/admission, and they go on`,
    { after: LOOK_AGAIN_MILLISECONDS },
  );
}
