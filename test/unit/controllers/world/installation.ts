import type { CloneType } from '../../../../src/api/clone.ts';
import { dataSources } from '../../../../src/api/data-source.ts';
import { CDI_API_VERSION } from '../../../../src/api/group.ts';
import { storageProfiles } from '../../../../src/api/storage-profile.ts';
import {
  csiDrivers,
  persistentVolumeClaims,
  persistentVolumes,
  resourceQuotas,
  storageClasses,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
} from '../../../../src/kube/builtin-resources.ts';
import { volumeSnapshotClasses, volumeSnapshots } from '../../../../src/kube/snapshot-resources.ts';
import { installedPolicies } from '../policies.ts';
import type { SimulatedApi } from './api.ts';

export const TEAM = 'team';
export const STORAGE_CLASS = 'csi';
export const DRIVER = 'csi.example';

/** A volume of the class that an administrator has made by hand, and that is nobody's yet. */
export const FREE_VOLUME = 'free';

/** Claims that people have written to, one in each namespace; each has a snapshot of its name. */
export const PRECIOUS = [
  { namespace: 'victim', name: 'secret' },
  { namespace: 'golden', name: 'fedora' },
  { namespace: TEAM, name: 'own' },
] as const;

/**
 * Makes what there is before the tenant does anything: storage that retains what it is given, whose clones are made in
 * the given way, and people's claims.
 *
 * @param hasTightQuotas whether there is room for no more than one claim, in the tenant's namespace
 */
export function install(api: SimulatedApi, cloneStrategy: CloneType, hasTightQuotas: boolean): void {
  const { policies, policyBindings } = installedPolicies('2025-01-01T00:00:00Z');
  for (const policy of policies) api.create('cluster', validatingAdmissionPolicies, policy);
  for (const binding of policyBindings) api.create('cluster', validatingAdmissionPolicyBindings, binding);
  api.create('cluster', storageClasses, {
    metadata: { name: STORAGE_CLASS, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: DRIVER,
    allowVolumeExpansion: true,
    reclaimPolicy: 'Retain',
  });
  api.create('cluster', persistentVolumes, {
    metadata: { name: FREE_VOLUME },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      csi: { driver: DRIVER, volumeHandle: FREE_VOLUME },
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: STORAGE_CLASS,
    },
  });
  api.create('cluster', csiDrivers, { metadata: { name: DRIVER }, spec: {} });
  api.create('cluster', volumeSnapshotClasses, {
    metadata: { name: 'snapshots' },
    driver: DRIVER,
    deletionPolicy: 'Retain',
  });
  api.create('cluster', storageProfiles, {
    apiVersion: CDI_API_VERSION,
    kind: 'StorageProfile',
    metadata: { name: STORAGE_CLASS },
    spec: {},
    status: { cloneStrategy, claimPropertySets: [{ accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem' }] },
  });
  for (const key of PRECIOUS) {
    if (hasTightQuotas) {
      const hard = { persistentvolumeclaims: key.namespace === TEAM ? '2' : '1' };
      api.create('cluster', resourceQuotas, { metadata: { namespace: key.namespace, name: 'tight' }, spec: { hard } });
    }
    api.create('cluster', persistentVolumeClaims, {
      metadata: { ...key },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: STORAGE_CLASS,
        resources: { requests: { storage: '1Gi' } },
      },
    });
    api.create('cluster', volumeSnapshots, {
      metadata: { ...key },
      spec: { source: { persistentVolumeClaimName: key.name }, volumeSnapshotClassName: 'snapshots' },
    });
  }
  api.create('cluster', dataSources, {
    apiVersion: CDI_API_VERSION,
    kind: 'DataSource',
    metadata: { namespace: 'golden', name: 'latest' },
    spec: { source: { pvc: { namespace: 'golden', name: 'fedora' } } },
  });
}
