import type { Pod } from '../../../kube/builtin-resources.ts';
import { latestWarning } from '../../runtime/latest-warning.ts';
import { judgePod } from '../../transfers/pod-verdict.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import { hasBothVolumes } from './one-pod.ts';

/**
 * How long the scheduler may find no node for a pod with both volumes, by the reason that it gives. It fails itself for
 * a moment only, as a rule. A pod that somebody holds back by a scheduling gate has another reason.
 */
const WITHOUT_NODE_MILLISECONDS: Readonly<Record<string, number>> = { Unschedulable: 15_000, SchedulerError: 60_000 };
/** How long a node may take to mount both volumes. A kubelet says only after two minutes what it lacks. */
const MOUNTING_MILLISECONDS = 180_000;
/** Reasons of the Warning events on a pod whose volumes are not attached or mounted. */
const NOT_MOUNTED: readonly string[] = ['FailedAttachVolume', 'FailedMount', 'FailedMapVolume'];

/** Why a pod does not get both volumes. */
export interface OnePodTrouble {
  readonly why: string;
  /** Whether it has a node, where it may have begun meanwhile. */
  readonly hasNode: boolean;
}

/**
 * Returns what keeps a pod from having both volumes, where that has lasted for so long that two pods should get one
 * each; otherwise in how many milliseconds that may be so. It is undefined where nothing does.
 */
export async function onePodTrouble(
  context: Pick<CloneContext, 'client' | 'now'>,
  pod: Pod,
): Promise<OnePodTrouble | number | undefined> {
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (!scheduled || !hasBothVolumes(pod)) return undefined;
  const hasNode = scheduled.status === 'True';
  const patience = hasNode ? MOUNTING_MILLISECONDS : WITHOUT_NODE_MILLISECONDS[scheduled.reason ?? ''];
  if (patience === undefined || (hasNode && !isMounting(pod))) return undefined;
  const since = Date.parse(String(scheduled.lastTransitionTime));
  const left = Number.isNaN(since) ? patience : since + patience - context.now();
  if (left > 0) return left;
  if (!hasNode) {
    return { why: `no node takes a pod with both volumes (${scheduled.message ?? scheduled.reason})`, hasNode };
  }
  const warning = await latestWarning(context, pod, { counts: (reason) => NOT_MOUNTED.includes(reason) });
  if (warning === undefined) return undefined;
  return { why: `node "${pod.spec?.nodeName}" does not mount both volumes in one pod (${warning})`, hasNode };
}

/** Whether the kubelet may be waiting for volumes: they come before the sandbox, and that before the image. */
function isMounting(pod: Pod): boolean {
  const hasSandbox = pod.status?.conditions?.some(
    ({ type, status }) => type === 'PodReadyToStartContainers' && status === 'True',
  );
  const verdict = judgePod(pod);
  return !hasSandbox && verdict.state === 'pending' && verdict.reason === 'Pending';
}
