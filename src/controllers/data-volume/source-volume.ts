import type { DataVolumeSpec } from '../../api/data-volume.ts';
import { parseQuantity } from '../../api/quantity.ts';
import type { DataVolumeSource } from '../../api/source-fields.ts';
import { TerminalError } from '../../kube/errors.ts';
import { keyToString, type ObjectKey } from '../../kube/key.ts';
import type { SourceVolume } from '../../rendering/claim-spec.ts';
import { gatherSnapshotSource } from '../clone/source/snapshot-source.ts';
import { without } from '../clone/source/source.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { requestedBytes, volumeModeOf } from '../transfers/transfer-target.ts';

type VolumeContext = Pick<ControllerContext, 'caches' | 'client' | 'config'>;

/**
 * Returns the volume from which `spec.storage` is completed, where a clone leaves some of its fields to the source.
 *
 * @throws WaitingError while the size depends on a source that does not exist or is not ready
 */
export async function sourceVolumeOf(
  context: VolumeContext,
  { storage }: Pick<DataVolumeSpec, 'storage'>,
  source: Pick<DataVolumeSource, 'pvc' | 'snapshot'> | undefined,
): Promise<SourceVolume | undefined> {
  if (!storage) return undefined;
  const needsSize = storage.resources?.requests?.['storage'] === undefined;
  if (source?.pvc) return claimVolume(context, source.pvc, needsSize);
  if (source?.snapshot && needsSize) return snapshotVolume(context, source.snapshot);
  return undefined;
}

function claimVolume({ caches, config }: VolumeContext, key: ObjectKey, isNeeded: boolean): SourceVolume | undefined {
  const claim = caches.claims.get(key);
  if (!claim) {
    if (isNeeded) throw without('claim', key, 'absent');
    return undefined;
  }
  const capacity = claim.status?.capacity?.['storage'];
  return {
    volumeMode: volumeModeOf(claim),
    capacity: capacity === undefined ? requestedBytes(claim) : parseQuantity(capacity),
    filesystemOverhead: config.filesystemOverhead(claim.spec?.storageClassName),
  };
}

async function snapshotVolume(context: VolumeContext, key: ObjectKey): Promise<SourceVolume> {
  const { volumeMode, capacity } = await gatherSnapshotSource(context, key, 'Filesystem');
  if (capacity === 0) {
    throw new TerminalError(
      'ErrClaimNotValid',
      `Snapshot ${keyToString(key)} does not tell its size; say in spec.storage.resources.requests.storage how large the disk is`,
    );
  }
  const snapshot = context.caches.snapshots.get(key);
  const claimName = snapshot?.spec.source.persistentVolumeClaimName;
  const claim = claimName ? context.caches.claims.get({ namespace: key.namespace, name: claimName }) : undefined;
  return { volumeMode, capacity, filesystemOverhead: context.config.filesystemOverhead(claim?.spec?.storageClassName) };
}
