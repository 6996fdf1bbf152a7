import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { WaitingError } from '../../kube/errors.ts';
import { keyOf, keyToString } from '../../kube/key.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { latestWarning, untilNextLook } from '../runtime/latest-warning.ts';
import { isBound } from './bound.ts';
import { waitsForFirstConsumer } from './wait-for-first-consumer.ts';

/**
 * Requires that a claim has its volume, unless it is provisioned only for a pod. A pod that is created before its
 * volume is deferred by the scheduler, for longer than the provisioning takes.
 *
 * @param options.after the most milliseconds until the next look
 * @throws WaitingError Provisioning; ProvisioningFailed with the provisioner's latest complaint
 */
export async function requireVolume(
  context: Pick<ControllerContext, 'caches' | 'client' | 'now'>,
  claim: PersistentVolumeClaim,
  { after = Infinity }: { readonly after?: number } = {},
): Promise<void> {
  if (isBound(claim) || waitsForFirstConsumer(claim, context.caches)) return;
  const warning = await latestWarning(context, claim);
  throw new WaitingError(
    warning ? 'ProvisioningFailed' : 'Provisioning',
    `Claim ${keyToString(keyOf(claim))} is being provisioned${warning ? `: ${warning}` : ''}`,
    { after: Math.min(after, untilNextLook(context, claim)) },
  );
}
