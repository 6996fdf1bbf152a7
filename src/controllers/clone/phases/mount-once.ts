import type { V1NodeSelector } from '@kubernetes/client-node';
import { ownerReference } from '../../../kube/apply.ts';
import { type PersistentVolumeClaim, type Pod, pods } from '../../../kube/builtin-resources.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyOf, keyToString, type ObjectKey } from '../../../kube/key.ts';
import { mountingPodName } from '../../../protocol/object-names.ts';
import { isMadeFor, requireMadeFor } from '../../objects/made-for.ts';
import { latestWarning } from '../../runtime/latest-warning.ts';
import { createTransferPod } from '../../transfers/create-transfer-pod.ts';
import { judgePod } from '../../transfers/pod-verdict.ts';
import { transferPod } from '../../transfers/transfer-pod.ts';
import { volumeModeOf } from '../../transfers/transfer-target.ts';
import type { CloneWork, PhaseOutcome } from './phase.ts';

const LOOK_AGAIN_MILLISECONDS = 2_000;

/**
 * Mounts a claim in a short-lived pod, which makes a claim that waits for a consumer get its volume, and a node expand
 * its filesystem. It has to be called repeatedly until the desired effect is observed.
 *
 * @param reach the nodes that the pod may run on, where not all
 */
export async function mountOnce(
  work: CloneWork,
  claim: PersistentVolumeClaim,
  reach?: V1NodeSelector,
): Promise<PhaseOutcome> {
  const { client, caches } = work.context;
  const key = podKeyOf(claim);
  const pod = requireMadeFor(caches.pods.get(key), work.target.metadata?.uid);
  const outcome = { message: `pod ${keyToString(key)} is mounting the claim`, after: LOOK_AGAIN_MILLISECONDS };
  if (!pod) {
    await createTransferPod(client, mountingPod(work, claim, key, reach));
    return outcome;
  }
  if (isBeingDeleted(pod)) return outcome;
  const verdict = judgePod(pod);
  if (verdict.state === 'succeeded' || verdict.state === 'failed') {
    // The pod started too early for the node to notice that the filesystem has to be expanded.
    await client.delete(pods, key, { uid: pod.metadata?.uid, gracePeriodSeconds: 0 });
    return outcome;
  }
  const warning = verdict.state === 'pending' ? await latestWarning(work.context, pod) : undefined;
  return warning ? { ...outcome, message: `${outcome.message}: ${warning}`, trouble: 'MountFailed' } : outcome;
}

/**
 * Returns whether a node is in the middle of mounting the claim. If the claim were deleted at that point, the node
 * would complain in a Warning event. The claim's status may report the expansion before that.
 */
export function isBeingMounted({ context, target }: CloneWork, claim: PersistentVolumeClaim): boolean {
  const pod = context.caches.pods.get(podKeyOf(claim));
  if (!pod?.spec?.nodeName || isBeingDeleted(pod) || !isMadeFor(pod, target.metadata?.uid)) return false;
  const { containerStatuses = [], phase } = pod.status ?? {};
  const isMounted = containerStatuses.some(
    ({ state }) => !state?.waiting || state.waiting.reason !== 'ContainerCreating',
  );
  return phase === 'Pending' && !isMounted;
}

/** Deletes the pod, if it exists. */
export async function unmount({ context, target }: CloneWork, claim: PersistentVolumeClaim): Promise<void> {
  const pod = context.caches.pods.get(podKeyOf(claim));
  if (!pod || isBeingDeleted(pod) || !isMadeFor(pod, target.metadata?.uid)) return;
  await context.client.delete(pods, keyOf(pod), { uid: pod.metadata?.uid, gracePeriodSeconds: 0 });
}

function podKeyOf(claim: PersistentVolumeClaim): ObjectKey {
  return { namespace: keyOf(claim).namespace, name: mountingPodName(claim.metadata?.uid ?? '') };
}

function mountingPod(
  work: CloneWork,
  claim: PersistentVolumeClaim,
  key: ObjectKey,
  reach: V1NodeSelector | undefined,
): Pod {
  return transferPod(
    {
      ...key,
      role: 'prepare-claim',
      env: {},
      claim: { name: keyOf(claim).name, volumeMode: volumeModeOf(claim), readOnly: false },
      mounts: [],
      worksFor: work.target,
      restarts: 0,
      claimAnnotations: claim.metadata?.annotations ?? {},
      owner: ownerReference(claim, { controller: true }),
      ...(reach ? { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: reach } } } : {}),
    },
    work.context.config.transferSettings,
  );
}
