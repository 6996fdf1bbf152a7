/** What lets an alert fire, and what does not. Values are those of promtool, a sample a minute. */
export interface AlertCase {
  readonly alert: string;
  /** Series at which it fires, after {@link minutes}. */
  readonly fires: Readonly<Record<string, string>>;
  /** Similar ones at which it does not. */
  readonly quiet: Readonly<Record<string, string>>;
  /** Labels of the alert, beside those that all of them have. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly minutes?: number;
}

const profile = (storageclass: string, labels: string) =>
  `kubevirt_cdi_storageprofile_info{storageclass="${storageclass}", provisioner="p", ${labels}}`;
const up = 'up{job="cdi-prometheus-metrics", pod="cdi-deployment-1"}';
const progress = 'namespace="team", pod="importer-disk"';

export const alertCases: readonly AlertCase[] = [
  { alert: 'CDIOperatorDown', fires: { [up]: '0x30' }, quiet: { [up]: '1x30' } },
  { alert: 'CDIOperatorDown', fires: { 'up{job="other"}': '1x30' }, quiet: { [up]: '1x30' } },
  {
    alert: 'CDINotReady',
    fires: { kubevirt_cdi_cr_ready: '0x30' },
    quiet: { 'kubevirt_cdi_cr_ready{pod="1"}': '-1x30', 'kubevirt_cdi_cr_ready{pod="2"}': '1x30' },
  },
  {
    alert: 'DiskpressNoLeader',
    fires: { 'leader_election_master_status{pod="1"}': '0x30', 'leader_election_master_status{pod="2"}': '0x30' },
    quiet: { 'leader_election_master_status{pod="1"}': '0x30', 'leader_election_master_status{pod="2"}': '1x30' },
  },
  {
    alert: 'DiskpressQueueStuck',
    fires: { 'workqueue_longest_running_processor_seconds{name="import"}': '0+60x30' },
    quiet: { 'workqueue_longest_running_processor_seconds{name="import"}': '0 60 0 60 0x30' },
    labels: { name: 'import' },
    minutes: 25,
  },
  {
    alert: 'DiskpressQueueStuck',
    fires: { 'workqueue_depth{name="import"}': '5x40', 'workqueue_work_duration_seconds_count{name="import"}': '7x40' },
    quiet: {
      'workqueue_depth{name="import"}': '5x40',
      'workqueue_work_duration_seconds_count{name="import"}': '7+1x40',
    },
    labels: { name: 'import' },
    minutes: 30,
  },
  {
    alert: 'DiskpressReconcileErrors',
    fires: { 'controller_reconcile_total{controller="import", result="error"}': '0+60x60' },
    quiet: {
      'controller_reconcile_total{controller="import", result="error"}': '0+1x60',
      'controller_reconcile_total{controller="import", result="success"}': '0+60x60',
    },
    labels: { controller: 'import' },
    minutes: 40,
  },
  {
    alert: 'DiskpressCacheStale',
    fires: { 'informer_last_event_timestamp_seconds{informer="pods"}': '0x60' },
    quiet: { 'informer_last_event_timestamp_seconds{informer="pods"}': '0+60x60' },
    labels: { informer: 'pods' },
    minutes: 30,
  },
  {
    alert: 'DiskpressCertificateExpiry',
    fires: { 'diskpress_certificate_expiry_timestamp_seconds{secret="cdi-metrics-server-cert"}': '3600x30' },
    quiet: { 'diskpress_certificate_expiry_timestamp_seconds{secret="cdi-metrics-server-cert"}': '40000x30' },
    labels: { secret: 'cdi-metrics-server-cert' },
  },
  {
    alert: 'CDIDataVolumeUnusualRestartCount',
    fires: { 'kube_pod_container_status_restarts_total{pod="importer-disk", container="importer"}': '4x30' },
    quiet: {
      'kube_pod_container_status_restarts_total{pod="importer-disk", container="importer"}': '3x30',
      'kube_pod_container_status_restarts_total{pod="other", container="importer"}': '9x30',
    },
  },
  {
    alert: 'DiskpressTransfersFailing',
    fires: { 'diskpress_transfer_retries_total{kind="import", source="http", reason="NotFound"}': '0+1x90' },
    quiet: { 'diskpress_transfer_retries_total{kind="import", source="http", reason="NotFound"}': '0 0 3x90' },
    labels: { kind: 'import', source: 'http', reason: 'NotFound' },
    minutes: 80,
  },
  {
    alert: 'DiskpressTransfersFailed',
    fires: { 'diskpress_transfers_total{kind="import", source="http", result="failed"}': '0+1x90' },
    quiet: { 'diskpress_transfers_total{kind="import", source="http", result="succeeded"}': '0+1x90' },
    labels: { kind: 'import', source: 'http' },
    minutes: 80,
  },
  {
    alert: 'DiskpressTransferSlow',
    fires: {
      [`diskpress_transfer_bytes_per_second{${progress}}`]: '1000x60',
      [`diskpress_transfer_read_bytes{${progress}}`]: '0+1000x60',
      [`diskpress_transfer_skipped_bytes{${progress}}`]: '0x60',
      [`diskpress_transfer_size_bytes{${progress}}`]: '1000000x60',
    },
    quiet: {
      [`diskpress_transfer_bytes_per_second{${progress}}`]: '0x60',
      [`diskpress_transfer_read_bytes{${progress}}`]: '400000x60',
      [`diskpress_transfer_skipped_bytes{${progress}}`]: '600000x60',
      [`diskpress_transfer_size_bytes{${progress}}`]: '1000000x60',
    },
    labels: { namespace: 'team', pod: 'importer-disk' },
    minutes: 40,
  },
  {
    alert: 'DiskpressCloneFallback',
    fires: { 'diskpress_clones_total{strategy="copy", fallback_reason="NoVolumeSnapshotClass"}': '0x5 1x30' },
    quiet: {
      'diskpress_clones_total{strategy="copy", fallback_reason=""}': '0+1x40',
      'diskpress_clones_total{strategy="copy", fallback_reason="NoVolumeSnapshotClass"}': '4x40',
    },
    labels: { fallback_reason: 'NoVolumeSnapshotClass' },
    minutes: 30,
  },
  {
    alert: 'CDIDataImportCronOutdated',
    fires: { 'kubevirt_cdi_dataimportcron_outdated{ns="golden", cron_name="fedora", pending="false"}': '1x40' },
    quiet: {
      'kubevirt_cdi_dataimportcron_outdated{ns="golden", cron_name="fedora", pending="false"}': '0x40',
      'kubevirt_cdi_dataimportcron_outdated{ns="golden", cron_name="debian", pending="true"}': '1x40',
    },
    labels: { ns: 'golden', cron_name: 'fedora' },
    minutes: 30,
  },
  {
    alert: 'DiskpressImagePollsFailing',
    fires: {
      'diskpress_image_polls_total{source="registry", result="failed"}': '0+1x120',
      'diskpress_image_polls_total{source="registry", result="new"}': '5x120',
    },
    quiet: {
      'diskpress_image_polls_total{source="registry", result="failed"}': '0+1x120',
      'diskpress_image_polls_total{source="registry", result="unchanged"}': '0+1x120',
    },
    labels: { source: 'registry' },
    minutes: 110,
  },
  {
    alert: 'DiskpressImagePollsFailing',
    fires: { 'diskpress_image_polls_total{source="http", result="failed"}': '0+1x120' },
    quiet: { 'diskpress_image_polls_total{source="http", result="new"}': '0+1x120' },
    labels: { source: 'http' },
    minutes: 110,
  },
  {
    alert: 'CDIStorageProfilesIncomplete',
    fires: { [profile('odd', 'complete="false"')]: '1x30' },
    quiet: { [profile('known', 'complete="true"')]: '1x30' },
    labels: { storageclass: 'odd', provisioner: 'p' },
  },
  {
    alert: 'CDINoDefaultStorageClass',
    fires: { kubevirt_cdi_datavolume_pending: '2x30', [profile('a', 'default="false", virtdefault="false"')]: '1x30' },
    quiet: { kubevirt_cdi_datavolume_pending: '2x30', [profile('a', 'default="true", virtdefault="false"')]: '1x30' },
  },
  {
    alert: 'CDINoDefaultStorageClass',
    fires: { kubevirt_cdi_datavolume_pending: '2x30' },
    quiet: { kubevirt_cdi_datavolume_pending: '0x30' },
  },
  {
    alert: 'CDIMultipleDefaultVirtStorageClasses',
    fires: { [profile('a', 'virtdefault="true"')]: '1x30', [profile('b', 'virtdefault="true"')]: '1x30' },
    quiet: {
      [profile('a', 'virtdefault="true", pod="1"')]: '1x30',
      [profile('a', 'virtdefault="true", pod="2"')]: '1x30',
    },
  },
  {
    alert: 'CDIDefaultStorageClassDegraded',
    fires: {
      [profile('a', 'default="true", virtdefault="false", degraded="true"')]: '1x30',
      [profile('b', 'default="false", virtdefault="false", degraded="false"')]: '1x30',
    },
    quiet: { [profile('a', 'default="true", virtdefault="false", degraded="false"')]: '1x30' },
  },
];
