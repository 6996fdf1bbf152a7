import { events } from '../../../kube/builtin-resources.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { keyOf, type Key } from '../../../kube/key.ts';
import { volumeSnapshots, type VolumeSnapshot } from '../../../kube/snapshot-resources.ts';
import { newestEvent } from '../../runtime/newest-event.ts';

/**
 * On a VolumeSnapshot from the CSI provisioner's first attempt to restore it until one succeeds. Where none does and the claim
 * goes, the provisioner takes it off when it next sweeps through all snapshots, in half an hour perhaps, or never.
 */
const RESTORE_PROTECTION = 'provisioner.storage.kubernetes.io/volumesnapshot-as-source-protection';

/** What a call that failed may still be at work after, as the CSI provisioner has it. */
const PERHAPS_AT_WORK = ['Canceled', 'DeadlineExceeded', 'Unavailable', 'Aborted'];

/** Whether the last attempt to provision a claim, which may be gone by now, has failed and is over for the driver. */
export async function hasFailedToProvision(client: KubeClient, claim: Key): Promise<boolean> {
  const code = await provisioningFailure(client, claim);
  return code !== undefined && !PERHAPS_AT_WORK.includes(code);
}

/**
 * The code that the driver answered with to the last attempt to provision a claim that failed.
 *
 * @param uid of the claim, where it matters which one of the name it was
 */
export async function provisioningFailure(
  client: KubeClient,
  { namespace, name }: Key,
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

/** Whether the CSI provisioner holds a snapshot as one that it restores. */
export function isHeldByRestore({ metadata }: VolumeSnapshot): boolean {
  return metadata?.finalizers?.includes(RESTORE_PROTECTION) ?? false;
}

/** Takes the CSI provisioner's hold off a temporary snapshot that nobody restores any more. */
export async function endRestoreHold(client: KubeClient, snapshot: VolumeSnapshot): Promise<void> {
  const { resourceVersion, finalizers = [] } = snapshot.metadata ?? {};
  await client.mergePatch(volumeSnapshots, keyOf(snapshot), {
    metadata: { resourceVersion, finalizers: finalizers.filter((name) => name !== RESTORE_PROTECTION) },
  });
}
