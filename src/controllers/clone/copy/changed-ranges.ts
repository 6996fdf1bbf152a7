import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { WaitingError } from '../../../kube/errors.ts';
import { keyOf } from '../../../kube/key.ts';
import { type VolumeSnapshot, volumeSnapshotContents } from '../../../kube/snapshot-resources.ts';
import type { EarlierSnapshot, Question } from '../../changed-blocks/changed-blocks.ts';
import { workBaseAnnotation } from '../../objects/internal-annotations.ts';
import { baseOf } from '../bases/base.ts';
import type { CloneSource } from '../source/source.ts';
import type { Inquiry } from './inquiries.ts';
import { type SnapshotContext, sourceSnapshot } from './source-snapshot.ts';

/** Whether a working claim was restored from an earlier copy. */
export function holdsBase({ metadata }: PersistentVolumeClaim): boolean {
  return metadata?.annotations?.[workBaseAnnotation] !== undefined;
}

/**
 * Returns what has to be asked to know what has changed of a source since the copy that a working claim was restored
 * from.
 *
 * @throws WaitingError where there are no two snapshots of the source that could be compared
 */
export async function whatHasChanged(
  context: SnapshotContext,
  inquiry: Inquiry,
  claim: PersistentVolumeClaim,
  source: CloneSource & { readonly driver: string },
): Promise<Question | 'pending'> {
  const { driver, capacity } = source;
  const taken = await sourceSnapshot(context, inquiry, claim, source);
  if (taken === 'pending') return taken;
  const copy = context.caches.snapshots.get({ ...keyOf(claim), name: claim.spec?.dataSource?.name ?? '' });
  const base = copy && baseOf(context.caches, copy);
  if (!base || base.copy.metadata?.uid !== claim.metadata?.annotations?.[workBaseAnnotation]) {
    throw new WaitingError('SnapshotFailed', 'the earlier copy is gone');
  }
  const since = await ofVolume(context, base.source, source);
  if (!taken || !since) throw new WaitingError('SnapshotFailed', 'there are no two snapshots of its volume');
  return { driver, snapshot: keyOf(taken), since, capacity };
}

/**
 * Returns what the storage knows a snapshot by, where it is one of the volume that the source has now. The status of a
 * snapshot could be anybody's in its namespace: that of its content is not.
 */
async function ofVolume(
  { caches, client }: SnapshotContext,
  { metadata, status }: VolumeSnapshot,
  { key, driver }: CloneSource,
): Promise<EarlierSnapshot | undefined> {
  const name = status?.boundVolumeSnapshotContentName ?? '';
  const content = await client.get(volumeSnapshotContents, { namespace: '', name });
  const volumeName = caches.claims.get(key)?.spec?.volumeName ?? '';
  const { csi } = caches.volumes.get({ namespace: '', name: volumeName })?.spec ?? {};
  const isOfVolume = content?.spec.driver === driver && content?.spec.source.volumeHandle === csi?.volumeHandle;
  const { snapshotHandle: handle, restoreSize: capacity = 0 } = content?.status ?? {};
  if (!isOfVolume || handle === undefined || content?.spec.volumeSnapshotRef.uid !== metadata?.uid) return undefined;
  return { handle, capacity };
}
