import { Gauge, type Registry } from 'prom-client';
import { storageClassAnnotation } from '../../api/annotations.ts';
import type { StorageProfile } from '../../api/storage-profile.ts';
import type { StorageClass } from '../../kube/builtin-resources.ts';
import type { Caches } from '../runtime/caches.ts';
import { notForDisks } from './known-provisioners.ts';

type ProfileCaches = Pick<Caches, 'storageProfiles' | 'storageClasses'>;

const labelNames = [
  'storageclass',
  'provisioner',
  'complete',
  'default',
  'virtdefault',
  'rwx',
  'smartclone',
  'degraded',
] as const;

/**
 * Registers kubevirt_cdi_storageprofile_info: one series with the value 1 for each StorageProfile, collected at each
 * scrape.
 */
export function registerStorageProfileMetric(registry: Registry, caches: ProfileCaches): void {
  new Gauge({
    name: 'kubevirt_cdi_storageprofile_info',
    help: 'What is known of each StorageClass: whether claims can be completed, and disks shared and cloned by the storage',
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const storageClass of caches.storageClasses.list()) {
        const profile = caches.storageProfiles.get({ namespace: '', name: storageClass.metadata?.name ?? '' });
        if (profile) this.set(profileLabels(storageClass, profile), 1);
      }
    },
  });
}

/**
 * Returns the labels of a profile's series. Degraded means that virtual machines on it cannot migrate, or that their
 * disks can only be copied.
 */
export function profileLabels(
  storageClass: StorageClass,
  { status = {} }: StorageProfile,
): Record<(typeof labelNames)[number], string> {
  const sets = status.claimPropertySets ?? [];
  const isDefault = (annotation: string) => storageClass.metadata?.annotations?.[annotation] === 'true';
  const rwx = sets.some(({ accessModes }) => accessModes?.includes('ReadWriteMany'));
  const smartClone =
    status.cloneStrategy === 'csi-clone' || (status.cloneStrategy === 'snapshot' && status.snapshotClass !== undefined);
  return {
    storageclass: storageClass.metadata?.name ?? '',
    provisioner: storageClass.provisioner,
    complete: String(sets.length > 0 || notForDisks.has(storageClass.provisioner)),
    default: String(isDefault(storageClassAnnotation.isDefaultClass)),
    virtdefault: String(isDefault(storageClassAnnotation.isDefaultVirtClass)),
    rwx: String(rwx),
    smartclone: String(smartClone),
    degraded: String(!rwx || !smartClone),
  };
}
