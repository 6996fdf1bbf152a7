import { formatQuantity } from '../../../api/bytes.ts';
import { parseQuantity } from '../../../api/quantity.ts';
import { workingClaim } from '../../populator/working-claim.ts';
import { fillByDriver } from './create-claim.ts';
import type { Phase } from './phase.ts';

/**
 * SnapshotClone: the driver restores a snapshot, the temporary one or the source itself, into the working claim, or
 * where the data has to be copied from there, into a stand-in for the source.
 */
export const snapshotClone: Phase = (work) => {
  const key = work.source.kind === 'VolumeSnapshot' ? work.source.key : work.temporarySnapshot;
  const restored = work.context.caches.snapshots.get(key)?.status?.restoreSize;
  const size = Math.max(parseQuantity(restored ?? '0'), work.source.capacity);
  return fillByDriver(
    work,
    workingClaim(work.target, {
      ...(work.plan.cloneType === 'copy' ? work.temporarySourceClaim : work.workingClaim),
      dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: key.name },
      storage: formatQuantity(size),
    }),
  );
};
