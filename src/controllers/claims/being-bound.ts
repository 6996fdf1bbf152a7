import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { isBound } from './bound.ts';

/** The annotations that the volume controller of Kubernetes writes together with the name of the volume. */
const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
const BINDING_ANNOTATIONS: readonly string[] = [BIND_COMPLETED, 'pv.kubernetes.io/bound-by-controller'];

/**
 * Returns whether all that has changed of a claim is that the volume controller of Kubernetes has named its volume. The
 * claim is not bound before its status says so, which is what that controller writes next.
 */
export function isBeingBound(claim: PersistentVolumeClaim, previous: PersistentVolumeClaim): boolean {
  const { metadata, spec } = claim;
  if (isBound(claim) || isBound(previous) || previous.spec?.volumeName || !spec?.volumeName) return false;
  const annotations = differences(metadata?.annotations, previous.metadata?.annotations);
  return (
    annotations.includes(BIND_COMPLETED) &&
    metadata?.annotations?.[BIND_COMPLETED] !== undefined &&
    annotations.every((name) => BINDING_ANNOTATIONS.includes(name)) &&
    differences(metadata, previous.metadata).every((name) => name === 'resourceVersion' || name === 'annotations') &&
    differences(spec, previous.spec).every((name) => name === 'volumeName') &&
    differences(claim, previous).every((name) => name === 'metadata' || name === 'spec')
  );
}

/** Returns the names of the fields that are not one and the same, or equal texts or numbers, in both. */
function differences(one: object | undefined = {}, other: object | undefined = {}): string[] {
  const [fields, others] = [one, other] as [Record<string, unknown>, Record<string, unknown>];
  return Object.keys({ ...fields, ...others }).filter((name) => fields[name] !== others[name]);
}
