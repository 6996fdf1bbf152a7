/** On every object that the controllers make. */
export const objectLabels = {
  app: 'containerized-data-importer',
  'app.kubernetes.io/component': 'storage',
  'app.kubernetes.io/managed-by': 'cdi-controller',
} as const;

/** What a transfer pod is; one of {@link TransferPodRole}. */
export const POD_ROLE_LABEL = 'cdi.kubevirt.io';
export const transferPodRoles = ['importer', 'cdi-clone-source', 'cdi-upload-server'] as const;
export type TransferPodRole = (typeof transferPodRoles)[number];

/** "true" on pods that serve Prometheus metrics. */
export const PROMETHEUS_LABEL = 'prometheus.cdi.kubevirt.io';
/** "true" on claims that hold intermediate data. */
export const EXCLUDE_FROM_BACKUP_LABEL = 'velero.io/exclude-from-backup';
/** "true" on a claim that asks the mutating webhook to complete it from its StorageProfile. */
export const APPLY_STORAGE_PROFILE_LABEL = 'cdi.kubevirt.io/applyStorageProfile';
