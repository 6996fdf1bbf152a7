import { parseQuantity } from '../../../api/quantity.ts';
import { formatBytes } from '../../../base/format-bytes.ts';
import { formatQuantity } from '../../../base/units.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import { keyOf, keyToString } from '../../../kube/key.ts';
import { isBound } from '../../claims/bound.ts';
import { refusedByAdmission, refusedByQuota } from '../../objects/create-if-absent.ts';
import { requireMadeFor } from '../../objects/made-for.ts';
import { latestWarning } from '../../runtime/latest-warning.ts';
import { requestedBytes } from '../../transfers/transfer-target.ts';
import { isBeingMounted, mountOnce, unmount } from './mount-once.ts';
import type { CloneWork, Phase, PhaseOutcome } from './phase.ts';

const LOOK_AGAIN_MILLISECONDS = 2_000;

/** The conditions that the resizer and the kubelet set on a claim that they cannot expand. */
const RESIZE_ERRORS = ['ControllerResizeError', 'NodeResizeError'];

/**
 * The phase PrepClaim: the working claim is made usable, which means bound and as large as the target requests. A
 * short-lived pod mounts it where it needs a consumer to be bound, or a node to expand its filesystem.
 */
export const prepClaim: Phase = async (work) => {
  const claim = requireMadeFor(work.context.caches.claims.get(work.workingClaim), work.target.metadata?.uid);
  if (!claim) return { message: `claim ${keyToString(work.workingClaim)} is being made` };
  if (!isBound(claim)) return mountOnce(work, claim);
  const wanted = requestedBytes(work.target);
  if (capacityOf(claim) >= wanted && !conditionOf(claim, 'FileSystemResizePending')) {
    if (isBeingMounted(work, claim))
      return { message: 'a node is growing the filesystem', after: LOOK_AGAIN_MILLISECONDS };
    await unmount(work, claim);
    return 'complete';
  }
  if (requestedBytes(claim) < wanted) await request(work, claim, wanted);
  return conditionOf(claim, 'FileSystemResizePending') ? mountOnce(work, claim) : growing(work, claim, wanted);
};

async function request({ context }: CloneWork, claim: PersistentVolumeClaim, bytes: number): Promise<void> {
  try {
    await context.client.mergePatch(persistentVolumeClaims, keyOf(claim), {
      spec: { resources: { requests: { storage: formatQuantity(bytes) } } },
    });
  } catch (error) {
    throw refusedByQuota(error) ?? refusedByAdmission(persistentVolumeClaims, claim, error) ?? error;
  }
}

async function growing(work: CloneWork, claim: PersistentVolumeClaim, wanted: number): Promise<PhaseOutcome> {
  const complaint = RESIZE_ERRORS.map((type) => conditionOf(claim, type)?.message).find(Boolean);
  const trouble = complaint ?? (await latestWarning(work.context, claim));
  const message = `the volume is growing from ${formatBytes(capacityOf(claim))} to ${formatBytes(wanted)}`;
  return {
    message: trouble ? `${message}: ${trouble}` : message,
    trouble: trouble && 'VolumeResizeFailed',
    after: LOOK_AGAIN_MILLISECONDS,
  };
}

function capacityOf(claim: PersistentVolumeClaim): number {
  return parseQuantity(claim.status?.capacity?.['storage'] ?? '0');
}

function conditionOf(claim: PersistentVolumeClaim, type: string) {
  return claim.status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
}
