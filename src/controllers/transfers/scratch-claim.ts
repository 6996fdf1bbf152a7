import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { OwnerReference } from '../../kube/resource.ts';
import { scratchClaimName } from '../../protocol/object-names.ts';
import { SCRATCH_DIRECTORY } from '../../protocol/transfer-pod.ts';
import { marksFor } from '../objects/made-for.ts';
import type { TransferPodOptions } from './transfer-pod.ts';

/**
 * Returns the scratch claim of a transfer: as large as the target, on the scratch space class or else on the target's
 * own.
 */
export function scratchClaim(
  claim: PersistentVolumeClaim,
  owner: OwnerReference,
  storageClassName: string | undefined,
): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: scratchClaimName(claim.metadata?.name ?? ''),
      namespace: claim.metadata?.namespace,
      ...marksFor(claim),
      ownerReferences: [owner],
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      volumeMode: 'Filesystem',
      resources: { requests: claim.spec?.resources?.requests },
      ...((storageClassName ?? claim.spec?.storageClassName)
        ? { storageClassName: storageClassName ?? claim.spec?.storageClassName }
        : {}),
    },
  };
}

/** Returns the mounts of a pod whose request asks for scratch space, or does not. */
export function scratchMounts(
  claim: PersistentVolumeClaim,
  { scratch }: { readonly scratch: boolean },
): TransferPodOptions['mounts'] {
  if (!scratch) return [];
  const claimName = scratchClaimName(claim.metadata?.name ?? '');
  return [
    { volume: { name: 'scratch', persistentVolumeClaim: { claimName } }, path: SCRATCH_DIRECTORY, writable: true },
  ];
}
