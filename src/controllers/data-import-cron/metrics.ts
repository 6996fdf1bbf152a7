import { Gauge, type Registry } from 'prom-client';
import type { Caches } from '../runtime/caches.ts';
import { storageFor } from './format.ts';

type MetricCaches = Pick<Caches, 'dataImportCrons' | 'storageClasses' | 'storageProfiles' | 'snapshotClasses'>;

/** Registers kubevirt_cdi_dataimportcron_outdated, which is computed at each scrape. */
export function registerDataImportCronMetrics(registry: Registry, caches: MetricCaches): void {
  new Gauge({
    name: 'kubevirt_cdi_dataimportcron_outdated',
    help: 'Whether the newest image of each DataImportCron is missing; pending, because no storage class is there for it',
    labelNames: ['ns', 'cron_name', 'pending'],
    registers: [registry],
    collect() {
      this.reset();
      for (const cron of caches.dataImportCrons.list()) {
        const { namespace = '', name = '' } = cron.metadata;
        const condition = cron.status?.conditions?.find(({ type }) => type === 'UpToDate');
        const pending = String(storageFor(caches, cron).storageClass === undefined);
        this.set({ ns: namespace, cron_name: name, pending }, condition?.status === 'False' ? 1 : 0);
      }
    },
  });
}
