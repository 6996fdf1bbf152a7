import { formatQuantity, humanBytes } from '../../../api/bytes.ts';
import { parseQuantity } from '../../../api/quantity.ts';
import { persistentVolumeClaims, pods, type PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { ownerReference } from '../../../kube/apply.ts';
import { keyOf, keyToString } from '../../../kube/key.ts';
import { isBound } from '../../populator/bound.ts';
import { latestWarning } from '../../latest-warning.ts';
import { transferPod } from '../../transfer-pod.ts';
import { requestedBytes, volumeModeOf } from '../../transfer-target.ts';
import type { CloneWork, Phase } from './phase.ts';
import { createIfAbsent } from '../../create-if-absent.ts';

const LOOK_AGAIN_MILLISECONDS = 2_000;

/**
 * PrepClaim: the working claim is made usable, that is bound and as large as the target requests. A short-lived pod
 * mounts it where it needs a consumer to be bound, or a node to grow its filesystem.
 */
export const prepClaim: Phase = async (work) => {
  const { client, caches } = work.context;
  const claim = caches.claims.get(work.workingClaim);
  if (!claim) return { message: `claim ${keyToString(work.workingClaim)} is being made` };
  const podKey = { namespace: work.workingClaim.namespace, name: `prep-${work.target.metadata?.uid}` };
  const wanted = requestedBytes(work.target);
  const bound = isBound(claim);
  const capacity = parseQuantity(claim.status?.capacity?.['storage'] ?? '0');
  const resizePending = claim.status?.conditions?.some(
    (condition) => condition.type === 'FileSystemResizePending' && condition.status === 'True',
  );
  if (bound && capacity >= wanted && !resizePending) {
    const pod = caches.pods.get(podKey);
    if (pod && !pod.metadata?.deletionTimestamp) {
      await client.delete(pods, podKey, { uid: pod.metadata?.uid ?? '', gracePeriodSeconds: 0 });
    }
    return 'complete';
  }
  if (!bound || resizePending) {
    if (!caches.pods.get(podKey)) await createPod(work, claim, podKey.name);
    return { message: `pod ${keyToString(podKey)} is mounting the claim`, after: LOOK_AGAIN_MILLISECONDS };
  }
  if (requestedBytes(claim) < wanted) {
    await client.mergePatch(persistentVolumeClaims, keyOf(claim), {
      spec: { resources: { requests: { storage: formatQuantity(wanted) } } },
    });
  }
  const warning = await latestWarning(work.context, claim);
  return {
    message: `the volume is growing from ${humanBytes(capacity)} to ${humanBytes(wanted)}${warning ? `: ${warning}` : ''}`,
    after: LOOK_AGAIN_MILLISECONDS,
  };
};

async function createPod(work: CloneWork, claim: PersistentVolumeClaim, name: string): Promise<void> {
  const { client, config } = work.context;
  const pod = transferPod(
    {
      name,
      namespace: work.workingClaim.namespace,
      component: 'cdi-clone-source',
      role: 'prepare-claim',
      env: {},
      claim: { name: work.workingClaim.name, volumeMode: volumeModeOf(claim), readOnly: false },
      mounts: [],
      worksFor: keyOf(work.target),
      restarts: 0,
      claimAnnotations: claim.metadata?.annotations ?? {},
      owner: ownerReference(claim, { controller: true }),
    },
    config.transferSettings,
  );
  await createIfAbsent(client, pods, pod);
}
