import { cloneFallbackReasons } from '../../../src/api/clone.ts';
import { type Event, events } from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';

/**
 * What Kubernetes and its helpers do to each other when much happens at once, whatever the controllers do:
 */
const AMONG_THEMSELVES: readonly { readonly reason: string; readonly message: RegExp }[] = [
  // The API server has not yet noted, for the node's rights, a pod that the node has seen already.
  { reason: 'FailedMount', message: /no relationship found between node/ },
  // A kubelet that starts many pods at once has not got a Secret in time, and asks for it again.
  { reason: 'FailedMount', message: /failed to sync (secret|configmap) cache: timed out/ },
  // The snapshot controller looks at a snapshot that is going once more when it has deleted its content, and deletes
  // that again.
  { reason: 'SnapshotContentObjectDeleteError', message: /^Failed to delete snapshot content API object$/ },
  // The scheduler writes the node on a working claim while others write on it, and tries again.
  { reason: 'FailedScheduling', message: /^running PreBind plugin "VolumeBinding": Operation cannot be fulfilled/ },
  { reason: 'SchedulerError', message: /running PreBind plugin "VolumeBinding": Operation cannot be fulfilled/ },
  // The scheduler learns of a pod before it learns of a claim that was there before the pod.
  { reason: 'FailedScheduling', message: /persistentvolumeclaim "[^"]+" not found/ },
  // Fifty at once are more than a small node has processors for.
  { reason: 'FailedScheduling', message: /Insufficient cpu/ },
  { reason: 'Unschedulable', message: /Insufficient cpu/ },
  // The API server looks for lost addresses between the making of a Service and that of its record.
  { reason: 'ClusterIPNotAllocated', message: /is not allocated; repairing$/ },
  // Threads of the CSI provisioner and of the snapshot controller put their finalizers on one source that is cloned,
  // restored or snapshotted several times at once, and try again.
  { reason: 'ProvisioningFailed', message: /^Operation cannot be fulfilled on volumesnapshots/ },
  { reason: 'ProvisioningFailed', message: /^Operation cannot be fulfilled on persistentvolumeclaims "golden-/ },
  { reason: 'SnapshotContentCreationFailed', message: /Operation cannot be fulfilled on persistentvolumeclaims/ },
];

/** The Warning events of namespaces, counted by who tells of what, and why; each with one of its messages. */
export async function warningsIn(client: KubeClient, namespaces: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    namespaces.map((namespace) => client.list(events, { namespace, fieldSelector: 'type=Warning' })),
  );
  const kinds = Map.groupBy(found.flat().filter(isTold), kindOf);
  return [...kinds].map(([kind, all]) => `${all.length} × ${kind}: ${all[0]?.message}`).sort();
}

/** A fall-back to a copy is published as a Warning, by the API that clients know. */
const FALLBACKS: readonly (string | undefined)[] = cloneFallbackReasons;

function isTold(event: Event): boolean {
  if (FALLBACKS.includes(event.reason)) return false;
  return !AMONG_THEMSELVES.some(({ reason, message }) => event.reason === reason && message.test(event.message ?? ''));
}

function kindOf({ reason, involvedObject, source, reportingComponent }: Event): string {
  const name = (involvedObject.name ?? '').replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+/g, '…');
  return `${source?.component || reportingComponent} on ${involvedObject.kind} ${name}, ${reason}`;
}
