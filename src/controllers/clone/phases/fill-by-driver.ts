import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { keyToString, type ObjectKey } from '../../../kube/key.ts';
import { isBound } from '../../claims/bound.ts';
import { createWorkingClaim } from '../../claims/population/create-working-claim.ts';
import { SELECTED_NODE_ANNOTATION, waitsForFirstConsumer } from '../../claims/wait-for-first-consumer.ts';
import { requireMadeFor } from '../../objects/made-for.ts';
import { latestWarning, untilNextLook } from '../../runtime/latest-warning.ts';
import { withAdvice } from './advice.ts';
import type { CloneWork, PhaseOutcome } from './phase.ts';

/**
 * Creates a claim that the driver fills, and waits until it has done so. The phase is also complete where the claim
 * gets its volume only with a pod.
 */
export async function fillByDriver(
  work: CloneWork,
  key: ObjectKey,
  desired: () => Promise<PersistentVolumeClaim>,
): Promise<PhaseOutcome> {
  const { caches } = work.context;
  const claim = requireMadeFor(caches.claims.get(key), work.target.metadata?.uid);
  if (!claim) {
    await createWorkingClaim(work.context, work.target, await desired());
    return { message: `claim ${keyToString(key)} is being provisioned` };
  }
  if (isBound(claim) || getsVolumeWithPod(work, claim)) return 'complete';
  const warning = await latestWarning(work.context, claim);
  return {
    message: `claim ${keyToString(key)} is being provisioned${warning ? `: ${withAdvice(warning, work)}` : ''}`,
    trouble: warning && 'ProvisioningFailed',
    after: untilNextLook(work.context, claim),
  };
}

function getsVolumeWithPod({ context }: CloneWork, claim: PersistentVolumeClaim): boolean {
  const selected = claim.metadata?.annotations?.[SELECTED_NODE_ANNOTATION] !== undefined;
  return !selected && waitsForFirstConsumer(claim, context.caches);
}
