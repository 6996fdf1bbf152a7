/** Labels of every object that the controllers make. */
export const objectLabels = {
  app: 'containerized-data-importer',
  'app.kubernetes.io/component': 'storage',
  'app.kubernetes.io/managed-by': 'cdi-controller',
} as const;

/** Label for the kind of a transfer pod, as clients of CDI know it; one of {@link TransferPodLabel}. */
export const POD_ROLE_LABEL = 'cdi.kubevirt.io';
export const transferPodLabels = ['importer', 'cdi-clone-source', 'cdi-upload-server'] as const;
export type TransferPodLabel = (typeof transferPodLabels)[number];

/** "true" on pods that serve Prometheus metrics. */
export const PROMETHEUS_LABEL = 'prometheus.cdi.kubevirt.io';
/** "true" on claims that hold intermediate data. */
export const EXCLUDE_FROM_BACKUP_LABEL = 'velero.io/exclude-from-backup';
/** Label of the claims of DataVolumes: a disk image fills its volume on purpose, which is no reason for an alert. */
export const noFillingUpAlert = { 'alerts.k8s.io/KubePersistentVolumeFillingUp': 'disabled' } as const;
/**
 * Labels for the default instance type and preference of a virtual machine, on any object with its disk: KubeVirt
 * infers them from there.
 */
export const defaultInstancetypeLabels = [
  'instancetype.kubevirt.io/default-instancetype',
  'instancetype.kubevirt.io/default-instancetype-kind',
  'instancetype.kubevirt.io/default-preference',
  'instancetype.kubevirt.io/default-preference-kind',
] as const;
/** "true" on a claim that asks the mutating webhook to complete it from its StorageProfile. */
export const APPLY_STORAGE_PROFILE_LABEL = 'cdi.kubevirt.io/applyStorageProfile';

/** Name of the DataImportCron that an image, in any form, or a DataSource belongs to. */
export const DATA_IMPORT_CRON_LABEL = 'cdi.kubevirt.io/dataImportCron';
/** "true" on what goes with its DataImportCron, whose retentionPolicy is None. */
export const DATA_IMPORT_CRON_CLEANUP_LABEL = 'cdi.kubevirt.io/dataImportCron.cleanup';
/** "true" on a disk whose guest takes credentials while it runs. */
export const DYNAMIC_CREDENTIALS_LABEL = 'kubevirt.io/dynamic-credentials-support';
