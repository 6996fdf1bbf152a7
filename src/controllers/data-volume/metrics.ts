import { Gauge, type Registry } from 'prom-client';
import type { DataVolume } from '../../api/data-volume.ts';
import type { Caches } from '../runtime/caches.ts';

/** Registers kubevirt_cdi_datavolume_pending, which is computed at each scrape. */
export function registerDataVolumeMetrics(registry: Registry, { dataVolumes }: Pick<Caches, 'dataVolumes'>): void {
  new Gauge({
    name: 'kubevirt_cdi_datavolume_pending',
    help: 'DataVolumes that name no storage class and wait for a default one',
    registers: [registry],
    collect() {
      this.set(dataVolumes.list().filter(awaitsDefaultClass).length);
    },
  });
}

function awaitsDefaultClass({ spec, status }: DataVolume): boolean {
  if ((spec.pvc ?? spec.storage)?.storageClassName !== undefined) return false;
  return status?.conditions?.some(({ reason }) => reason === 'StorageClassNotFound') ?? false;
}
