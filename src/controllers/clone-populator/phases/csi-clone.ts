import { formatQuantity } from '../../../api/bytes.ts';
import { workingClaim } from '../../populator/working-claim.ts';
import { fillByDriver } from './create-claim.ts';
import type { Phase } from './phase.ts';

/** CSIClone: the driver clones the source's volume, at the source's size; growth is PrepClaim's. */
export const csiClone: Phase = (work) =>
  fillByDriver(
    work,
    workingClaim(work.target, {
      ...work.workingClaim,
      dataSource: { kind: 'PersistentVolumeClaim', name: work.source.key.name },
      storage: formatQuantity(work.source.capacity),
    }),
  );
