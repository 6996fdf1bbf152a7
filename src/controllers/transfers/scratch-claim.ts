import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../kube/builtin-resources.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import { keyOf } from '../../kube/key.ts';
import type { OwnerReference } from '../../kube/resource.ts';
import { scratchClaimName } from '../../protocol/object-names.ts';
import { SCRATCH_DIRECTORY } from '../../protocol/transfer-pod.ts';
import { createIfAbsent } from '../objects/create-if-absent.ts';
import { isMadeFor, marksFor } from '../objects/made-for.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { podOwner } from './known-claim.ts';
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

/**
 * Creates the scratch claim of a transfer, unless it exists.
 *
 * @throws WaitingError as {@link createIfAbsent} does
 */
export async function makeScratchClaim(
  { client, config }: Pick<ControllerContext, 'client' | 'config'>,
  claim: PersistentVolumeClaim,
): Promise<void> {
  const scratch = scratchClaim(claim, podOwner(claim), config.scratchSpaceStorageClass);
  await createIfAbsent(client, persistentVolumeClaims, scratch);
}

/** Deletes the scratch claim of a transfer, if there is one. */
export async function removeScratchClaim(
  { client, caches }: Pick<ControllerContext, 'client' | 'caches'>,
  claim: PersistentVolumeClaim,
): Promise<void> {
  const key = { ...keyOf(claim), name: scratchClaimName(keyOf(claim).name) };
  const made = caches.claims.get(key);
  if (made && !isBeingDeleted(made) && isMadeFor(made, claim.metadata?.uid)) {
    await client.delete(persistentVolumeClaims, key, { uid: made.metadata?.uid });
  }
}
