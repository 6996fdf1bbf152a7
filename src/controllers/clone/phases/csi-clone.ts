import { formatQuantity } from '../../../base/units.ts';
import { claimBesideSource } from './claim-beside-source.ts';
import { fillByDriver } from './fill-by-driver.ts';
import type { Phase } from './phase.ts';

/** The phase CSIClone: the driver clones the source's volume at the source's size. PrepClaim expands it later. */
export const csiClone: Phase = (work) =>
  fillByDriver(work, work.workingClaim, async () => {
    const { key, capacity } = await work.source.read();
    return claimBesideSource(work, {
      ...work.workingClaim,
      dataSource: { kind: 'PersistentVolumeClaim', name: key.name },
      storage: formatQuantity(capacity),
    });
  });
