import { POD_ROLE_LABEL } from '../../../api/labels.ts';
import type { Pod } from '../../../kube/builtin-resources.ts';
import { WaitingError } from '../../../kube/errors.ts';
import { keyToString, type ObjectKey } from '../../../kube/key.ts';
import { transferRoles } from '../../../protocol/roles.ts';
import { byMountedClaim } from '../../claims/mounted-claims.ts';
import type { Caches } from '../../runtime/caches.ts';
import { LOOK_AGAIN_MILLISECONDS } from './source.ts';

/**
 * Refuses to read a claim that a pod may be writing to, whatever the clone's strategy: a snapshot of a mounted
 * filesystem is only as consistent as a disk after a power failure.
 *
 * @throws WaitingError CloneSourceInUse, naming the pods
 */
export function requireUnused(caches: Pick<Caches, 'pods'>, claim: ObjectKey): void {
  const writers = writersOf(caches, claim);
  if (writers.length === 0) return;
  const names = writers.map(({ metadata }) => `"${metadata?.name}"`).sort();
  const many = names.length > 1;
  throw new WaitingError(
    'CloneSourceInUse',
    `${many ? 'Pods' : 'Pod'} ${names.join(', ')} in namespace "${claim.namespace}" may write to the source claim ` +
      `"${claim.name}"; stop ${many ? 'them' : 'it'}, and the clone goes on`,
    { after: LOOK_AGAIN_MILLISECONDS },
  );
}

/** Whether a pod may be writing to a claim. */
export function isInUse(caches: Pick<Caches, 'pods'>, claim: ObjectKey): boolean {
  return writersOf(caches, claim).length > 0;
}

function writersOf({ pods }: Pick<Caches, 'pods'>, claim: ObjectKey): Pod[] {
  return pods.byIndex(byMountedClaim, keyToString(claim)).filter((pod) => mayWrite(pod, claim.name));
}

/**
 * Returns whether an unfinished pod can write to a claim, because neither the volume nor all of its mounts are
 * read-only.
 */
export function mayWrite(pod: Pod, claimName: string): boolean {
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return false;
  if (pod.metadata?.labels?.[POD_ROLE_LABEL] === transferRoles['copy-source'].label) return false;
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  return (pod.spec?.volumes ?? [])
    .filter(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === claimName)
    .filter(({ persistentVolumeClaim }) => !persistentVolumeClaim?.readOnly)
    .some(({ name }) => {
      const mounts = containers.flatMap(({ volumeMounts = [] }) => volumeMounts.filter((mount) => mount.name === name));
      // A block device has no mounts, so it can only be read-only as a volume.
      return mounts.length === 0 || mounts.some(({ readOnly }) => !readOnly);
    });
}
