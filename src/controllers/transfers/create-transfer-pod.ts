import type { V1Container } from '@kubernetes/client-node';
import { type Pod, pods } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { WaitingError } from '../../kube/errors.ts';
import { createIfAbsent } from '../objects/create-if-absent.ts';
import { DEFAULT_POD_RESOURCES, MODEST_CPU_LIMIT } from '../runtime/settings.ts';

/**
 * Creates a pod that moves data, unless it exists. Where the namespace's ResourceQuota or LimitRange does not allow the
 * default limit of processors, the pod gets a lower one, and takes longer.
 *
 * @throws WaitingError as {@link createIfAbsent} does
 */
export async function createTransferPod(client: KubeClient, pod: Pod): Promise<Pod> {
  try {
    return await createIfAbsent(client, pods, pod);
  } catch (error) {
    const modest = isAboutProcessors(error) ? withModestLimit(pod) : undefined;
    if (!modest) throw error;
    return createIfAbsent(client, pods, modest);
  }
}

function isAboutProcessors(error: unknown): boolean {
  const isRefused = error instanceof WaitingError && ['ErrExceededQuota', 'ErrStartingPod'].includes(error.reason);
  return isRefused && /\bcpu\b/i.test(error.message);
}

/** Returns undefined where an administrator has chosen the limit. */
function withModestLimit({ spec, ...pod }: Pod): Pod | undefined {
  const { containers, initContainers = [] } = spec ?? { containers: [] };
  if (!spec || ![...containers, ...initContainers].some(hasDefaultLimit)) return undefined;
  return {
    ...pod,
    spec: {
      ...spec,
      containers: containers.map(limited),
      ...(spec.initContainers ? { initContainers: initContainers.map(limited) } : {}),
    },
  };
}

const hasDefaultLimit = ({ resources }: V1Container) => resources?.limits?.['cpu'] === DEFAULT_POD_RESOURCES.limits.cpu;

function limited(container: V1Container): V1Container {
  if (!hasDefaultLimit(container)) return container;
  const { resources } = container;
  return { ...container, resources: { ...resources, limits: { ...resources?.limits, cpu: MODEST_CPU_LIMIT } } };
}
