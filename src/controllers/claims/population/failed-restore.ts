import { events } from '../../../kube/builtin-resources.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { keyOf, type ObjectKey } from '../../../kube/key.ts';
import { type VolumeSnapshot, volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import { newestEvent } from '../../runtime/newest-event.ts';

/**
 * The finalizer that a VolumeSnapshot has from the CSI provisioner's first attempt to restore it until an attempt
 * succeeds. Where none does and the claim is deleted, the provisioner removes the finalizer only in its next sweep
 * through all snapshots, which may be half an hour later, or never happen.
 */
const RESTORE_PROTECTION = 'provisioner.storage.kubernetes.io/volumesnapshot-as-source-protection';

/** The error codes after which the CSI provisioner assumes that the driver may still be working on a call. */
const PERHAPS_AT_WORK = ['Canceled', 'DeadlineExceeded', 'Unavailable', 'Aborted'];

/**
 * Returns whether the last attempt to provision a claim, which may no longer exist, has failed with a final answer from
 * the driver.
 */
export async function hasFailedToProvision(client: KubeClient, claim: ObjectKey): Promise<boolean> {
  const code = await provisioningFailure(client, claim);
  return code !== undefined && !PERHAPS_AT_WORK.includes(code);
}

/**
 * Returns the driver's error code from the last failed attempt to provision a claim.
 *
 * @param uid of the claim, where other claims with the same name must not count
 */
export async function provisioningFailure(
  client: KubeClient,
  { namespace, name }: ObjectKey,
  uid?: string,
): Promise<string | undefined> {
  const selected = [
    'involvedObject.kind=PersistentVolumeClaim',
    `involvedObject.name=${name}`,
    'reason=ProvisioningFailed',
    ...(uid === undefined ? [] : [`involvedObject.uid=${uid}`]),
  ];
  const found = await client.list(events, { namespace, fieldSelector: selected.join(',') });
  return /rpc error: code = (\w+)/.exec(newestEvent(found)?.message ?? '')?.[1];
}

/** Returns whether a snapshot has the finalizer with which the CSI provisioner protects it during a restore. */
export function isHeldByRestore({ metadata }: VolumeSnapshot): boolean {
  return metadata?.finalizers?.includes(RESTORE_PROTECTION) ?? false;
}

/** Removes the CSI provisioner's finalizer from a temporary snapshot that is no longer being restored. */
export async function endRestoreHold(client: KubeClient, snapshot: VolumeSnapshot): Promise<void> {
  const { resourceVersion, finalizers = [] } = snapshot.metadata ?? {};
  await client.mergePatch(volumeSnapshots, keyOf(snapshot), {
    metadata: { resourceVersion, finalizers: finalizers.filter((name) => name !== RESTORE_PROTECTION) },
  });
}
