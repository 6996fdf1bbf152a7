import { persistentVolumeClaims, type PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { isBound } from '../../populator/bound.ts';
import { latestWarning } from '../../latest-warning.ts';
import { waitsForFirstConsumer, SELECTED_NODE_ANNOTATION } from '../../wait-for-first-consumer.ts';
import type { CloneWork, PhaseOutcome } from './phase.ts';
import { createIfAbsent } from '../../create-if-absent.ts';

const LOOK_AGAIN_MILLISECONDS = 2_000;

/** Makes a claim that the driver fills, and waits until it has. */
export async function fillByDriver(work: CloneWork, desired: PersistentVolumeClaim): Promise<PhaseOutcome> {
  const { client, caches } = work.context;
  const { name = '', namespace = '' } = desired.metadata ?? {};
  const claim = caches.claims.get({ namespace, name });
  if (!claim) {
    await createIfAbsent(client, persistentVolumeClaims, desired);
    return { message: `claim ${namespace}/${name} is being provisioned` };
  }
  // Made without a node to be bound on, it waits for a pod, which PrepClaim makes.
  const waitsForPod =
    waitsForFirstConsumer(claim, caches) && desired.metadata?.annotations?.[SELECTED_NODE_ANNOTATION] === undefined;
  if (isBound(claim) || waitsForPod) return 'complete';
  const warning = await latestWarning(work.context, claim);
  return {
    message: `claim ${namespace}/${name} is being provisioned${warning ? `: ${warning}` : ''}`,
    after: LOOK_AGAIN_MILLISECONDS,
  };
}
