import type { Pod } from '../../kube/builtin-resources.ts';
import { keyOf, keyToString } from '../../kube/key.ts';
import { transferRoleNames } from '../../protocol/roles.ts';
import { type TransferResult, transferResult } from '../../protocol/transfer-pod.ts';
import { pullRefusal } from './pull-refusal.ts';

type Terminated = NonNullable<
  NonNullable<NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]['state']>['terminated']
>;

/** The meaning of a transfer pod's status for the transfer. */
export type PodVerdict =
  /** The pod is not running yet; the reason and message are the scheduler's or the kubelet's. */
  | { readonly state: 'pending'; readonly reason: string; readonly message: string }
  | { readonly state: 'running' }
  | { readonly state: 'succeeded'; readonly result: Extract<TransferResult, { outcome: 'succeeded' }> }
  | { readonly state: 'scratch-required'; readonly message: string }
  | {
      readonly state: 'failed';
      readonly permanent: boolean;
      readonly reason: string;
      readonly message: string;
      /** Time of the end in milliseconds since the epoch; undefined where the pod does not report it. */
      readonly finishedAt: number | undefined;
    };

/** Reasons of a waiting container that are reported; others are routine. */
const TROUBLE = new Set([
  'ImagePullBackOff',
  'ErrImagePull',
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

/** Offset of the exit code of a container that was killed by a signal: the code is this plus the signal's number. */
const KILLED_BY = 128;

/** Judges a transfer pod's status, considering the termination message first. */
export function judgePod(pod: Pod): PodVerdict {
  // The pod may also have containers of others, and they are sorted by name.
  const container = pod.status?.containerStatuses?.find(({ name }) => isTransfer(name));
  const terminated = container?.state?.terminated;
  if (terminated || pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') {
    return judgeEnd(pod, terminated);
  }
  if (container?.state?.running) return isUnreachable(pod) ? lostSight(pod) : { state: 'running' };
  const troubled = [...(pod.status?.initContainerStatuses ?? []), ...(container ? [container] : [])].find(({ state }) =>
    TROUBLE.has(state?.waiting?.reason ?? ''),
  );
  const trouble = troubled?.state?.waiting;
  if (troubled && trouble?.reason) {
    const refusal = pullRefusal(troubled.name, trouble);
    if (refusal) return { state: 'failed', permanent: true, ...refusal, finishedAt: undefined };
    return { state: 'pending', reason: trouble.reason, message: trouble.message ?? trouble.reason };
  }
  const scheduled = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
  if (scheduled?.status === 'False') {
    return {
      state: 'pending',
      reason: scheduled.reason ?? 'Unschedulable',
      message: `Pod ${nameOf(pod)} cannot be scheduled: ${scheduled.message ?? 'no node fits'}`,
    };
  }
  return { state: 'pending', reason: 'Pending', message: `Pod ${nameOf(pod)} is starting` };
}

/**
 * Reports whether the pod's node is unreachable: a running container counts as ready, unless the node controller
 * changed that because the node is silent.
 */
function isUnreachable(pod: Pod): boolean {
  const ready = pod.status?.conditions?.find((condition) => condition.type === 'Ready');
  return ready?.status === 'False' && !ready.reason && !pod.metadata?.deletionTimestamp;
}

function lostSight(pod: Pod): PodVerdict {
  return {
    state: 'pending',
    reason: 'NodeNotReady',
    message: `Node "${pod.spec?.nodeName}" of pod ${nameOf(pod)} does not answer; the transfer goes on when it does, or on another node`,
  };
}

function judgeEnd(pod: Pod, terminated: Terminated | undefined): PodVerdict {
  const finishedAt = terminated?.finishedAt ? new Date(terminated.finishedAt).getTime() : undefined;
  const result = parseResult(terminated?.message);
  if (result?.outcome === 'succeeded' && terminated?.exitCode === 0) return { state: 'succeeded', result };
  if (result?.outcome === 'scratch-required') return { state: 'scratch-required', message: result.message };
  if (result?.outcome === 'failed') {
    return { state: 'failed', permanent: result.permanent, reason: result.code, message: result.message, finishedAt };
  }
  return { state: 'failed', permanent: false, ...explainSilentEnd(pod, terminated), finishedAt };
}

function explainSilentEnd(pod: Pod, terminated: Terminated | undefined): { reason: string; message: string } {
  const name = nameOf(pod);
  if (terminated?.reason === 'OOMKilled') {
    return {
      reason: 'OOMKilled',
      message: `Pod ${name} was killed for want of memory; raise the memory limit in CDIConfig's podResourceRequirements`,
    };
  }
  if (terminated && terminated.exitCode > KILLED_BY && !pod.status?.reason) {
    const signal = terminated.exitCode - KILLED_BY;
    return { reason: 'PodKilled', message: `Pod ${name} was killed, by signal ${signal}; another one follows` };
  }
  const reason = pod.status?.reason ?? terminated?.reason ?? 'PodFailed';
  const detail = pod.status?.message ?? (terminated ? `exit code ${terminated.exitCode}` : 'it left no message');
  return { reason, message: `Pod ${name} ended without a result (${reason}: ${detail}); another one follows` };
}

function isTransfer(name: string): boolean {
  return transferRoleNames.some((role) => role === name);
}

function nameOf(pod: Pod): string {
  return keyToString(keyOf(pod));
}

function parseResult(message: string | undefined): TransferResult | undefined {
  if (!message) return undefined;
  try {
    return transferResult.safeParse(JSON.parse(message)).data;
  } catch {
    return undefined;
  }
}
