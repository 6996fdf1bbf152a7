import type { Deployment, Pod } from '../../kube/builtin-resources.ts';

/** How a Deployment is doing. */
export interface DeploymentHealth {
  readonly name: string;
  /** Whether at least one of its pods works, or none is wanted. */
  readonly isAvailable: boolean;
  /** Whether all that is wanted is there, as it was described last. */
  readonly isComplete: boolean;
  /** Why it does not get there, for people; undefined while it may. */
  readonly trouble: string | undefined;
}

/** Reasons of waiting containers that nothing but a change ends, or whose end cannot be foreseen. */
const TROUBLES: ReadonlySet<string> = new Set([
  'CrashLoopBackOff',
  'CreateContainerConfigError',
  'CreateContainerError',
  'ErrImageNeverPull',
  'ErrImagePull',
  'ImageInspectError',
  'ImagePullBackOff',
  'InvalidImageName',
  'RunContainerError',
]);

/** @param pods those of the Deployment */
export function healthOf(name: string, deployment: Deployment | undefined, pods: readonly Pod[]): DeploymentHealth {
  if (!deployment)
    return { name, isAvailable: false, isComplete: false, trouble: 'it is missing: install Diskpress again' };
  const { spec, status = {}, metadata } = deployment;
  const wanted = spec?.replicas ?? 1;
  const { availableReplicas = 0, updatedReplicas = 0, replicas = 0, observedGeneration = 0 } = status;
  const isSeen = observedGeneration >= (metadata?.generation ?? 0);
  const isComplete = isSeen && updatedReplicas >= wanted && availableReplicas >= wanted && replicas <= updatedReplicas;
  return {
    name,
    isAvailable: availableReplicas > 0 || wanted === 0,
    isComplete,
    trouble: isComplete ? undefined : (troubleOfPods(pods) ?? troubleOf(status)),
  };
}

function troubleOf({ conditions = [] }: NonNullable<Deployment['status']>): string | undefined {
  const failure = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  const stuck = conditions.find(({ type, status }) => type === 'Progressing' && status === 'False');
  return (failure ?? stuck)?.message;
}

function troubleOfPods(pods: readonly Pod[]): string | undefined {
  for (const { metadata, status } of pods) {
    const unscheduled = status?.conditions?.find(
      ({ type, status: value, reason }) => type === 'PodScheduled' && value === 'False' && reason === 'Unschedulable',
    );
    const waiting = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
      .map(({ state }) => state?.waiting)
      .find((state) => TROUBLES.has(state?.reason ?? ''));
    const found = unscheduled ?? waiting;
    if (found && !metadata?.deletionTimestamp) {
      return `pod "${metadata?.name ?? ''}" is held up by ${found.reason}${found.message ? `: ${found.message}` : ''}`;
    }
  }
  return undefined;
}
