/** Manifests of every kind, for the schemas and for the CustomResourceDefinitions made from them. */

export const object = (kind: string, name: string, spec: object, version = 'v1beta1') => ({
  apiVersion: `cdi.kubevirt.io/${version}`,
  kind,
  metadata: { name },
  spec,
});
export const dataVolume = (name: string, spec: object) => object('DataVolume', name, spec);

const resourcesOf = (storage: unknown) => ({ requests: { storage } });
export const pvc = { accessModes: ['ReadWriteOnce'], resources: resourcesOf('1Gi') };
export const storage = { resources: resourcesOf('1Gi') };
export const http = { url: 'http://example.com/disk.qcow2' };
export const registryTemplate = {
  template: { spec: { source: { registry: { url: 'docker://example.com/image' } }, storage } },
};

/** Objects that must be accepted. */
export const accepted: Record<string, object> = {
  'the published tutorial of a registry import': {
    apiVersion: 'cdi.kubevirt.io/v1alpha1',
    kind: 'DataVolume',
    metadata: { name: 'example-import-dv' },
    spec: {
      source: { registry: { url: 'docker://kubevirt/fedora-cloud-container-disk-demo' } },
      pvc: { accessModes: ['ReadWriteOnce'], resources: resourcesOf('10240Mi'), storageClassName: 'standard' },
    },
  },
  'an import with the empty references of published manifests': dataVolume('empty-references', {
    source: { http: { ...http, secretRef: '', certConfigMap: '' } },
    contentType: 'kubevirt',
    pvc: { ...pvc, storageClassName: '' },
  }),
  'what a Go client writes for fields that are not set': {
    ...dataVolume('go-client', { source: { http }, storage: { resources: resourcesOf('1Gi') } }),
    metadata: { name: 'go-client', creationTimestamp: null },
    status: {},
  },
  'an import with everything': dataVolume('http-everything', {
    source: {
      http: {
        url: 'https://example.com/disk.qcow2',
        secretRef: 'credentials',
        certConfigMap: 'authorities',
        extraHeaders: ['X-Header: value'],
        secretExtraHeaders: ['header'],
        checksum: `sha256:${'0'.repeat(64)}`,
        insecureSkipVerify: true,
      },
    },
    storage: { ...storage, volumeMode: 'FromStorageProfile', storageClassName: 'fast' },
    contentType: 'archive',
    preallocation: true,
    priorityClassName: 'high',
    serviceAccountName: 'importer',
  }),
  'a size in bytes': dataVolume('bytes', { source: { blank: {} }, storage: { resources: resourcesOf(1073741824) } }),
  'a clone that has its size from its source': dataVolume('clone', {
    source: { pvc: { namespace: 'golden', name: 'fedora' } },
    storage: {},
  }),
  'a clone of a snapshot': dataVolume('clone-snapshot', {
    source: { snapshot: { namespace: 'golden', name: 'fedora' } },
    storage: {},
  }),
  'a clone of a DataSource': dataVolume('clone-data-source', {
    sourceRef: { kind: 'DataSource', namespace: 'golden', name: 'fedora' },
    storage: {},
  }),
  'a claim with a dataSourceRef of its own': dataVolume('own-data-source', {
    pvc: { ...pvc, dataSourceRef: { apiGroup: 'example.com', kind: 'Populator', name: 'some' } },
  }),
  'an upload': dataVolume('upload', { source: { upload: {} }, storage }),
  'an OCI archive': dataVolume('oci-archive', { source: { registry: { url: 'oci-archive:/disk.tar' } }, storage }),
  'a file of the importer’s container': dataVolume('file', {
    source: { file: { path: 'golden/fedora.qcow2' } },
    storage,
  }),
  'an image stream': dataVolume('image-stream', {
    source: { registry: { imageStream: 'fedora', pullMethod: 'node' } },
    storage,
  }),
  'a url with all that it can have': dataVolume('whole-url', {
    source: { http: { url: 'https://user:pass@[2001:db8::1]:8443/a%20folder/a disk+1.qcow2?token=a/b&x=%C3%A4#part' } },
    storage,
  }),
  'an OCI archive on a web server': dataVolume('oci-archive-url', {
    source: { registry: { url: 'oci-archive:https://server.example/fedora.tar' } },
    storage,
  }),
  'an image by its digest, of a registry with a port': dataVolume('digest', {
    source: { registry: { url: `docker://registry.example:5000/org/disk:1@sha256:${'0'.repeat(64)}` } },
    storage,
  }),
  'an import from Google Cloud Storage': dataVolume('gcs', {
    source: { gcs: { url: 'gs://bucket/disk.img' } },
    storage,
  }),
  'vddk with checkpoints': dataVolume('vddk', {
    source: {
      vddk: {
        ...{ url: 'https://vcenter.example.com', uuid: 'u', backingFile: '[d] a/a.vmdk', thumbprint: 'AA' },
        secretRef: 'vcenter',
      },
    },
    storage,
    checkpoints: [{ previous: '', current: 'snapshot-1' }],
    finalCheckpoint: false,
  }),
  'the first stage of a warm migration, as Forklift creates it': {
    ...dataVolume('plan-vm-12-disk', {
      source: {
        vddk: {
          url: 'https://vcenter.example.com/sdk',
          uuid: '52b1ba21-8c29-4b3a-91ab-1c3d1b8e7a55',
          backingFile: '[datastore1] machine/machine.vmdk',
          thumbprint: '31:4D:0A:5C:93:6A:2B:77:D1:6E:0F:58:C2:9B:AB:47:EE:1D:64:03',
          secretRef: 'plan-vm-12',
          initImageURL: 'registry.example.com/vddk:8.0.3',
          extraArgs: 'vddk-config',
        },
      },
      checkpoints: [{ current: 'snapshot-31', previous: '' }],
      storage: { accessModes: ['ReadWriteMany'], volumeMode: 'Block', storageClassName: 'fast', ...storage },
    }),
    metadata: {
      name: 'plan-vm-12-disk',
      labels: { migration: 'a1', plan: 'b2', vmID: 'vm-12' },
      annotations: {
        'cdi.kubevirt.io/storage.bind.immediate.requested': 'true',
        'cdi.kubevirt.io/storage.deleteAfterCompletion': 'false',
        'forklift.konveyor.io/disk-source': '[datastore1] machine/machine.vmdk',
      },
    },
  },
  'a multi-stage import from oVirt, with all of its stages': dataVolume('ovirt-stages', {
    source: {
      imageio: {
        url: 'https://engine.example.com/ovirt-engine/api',
        diskId: '1a2d3c5e-6c30-4d5b-8f43-3a0a6ee27a6b',
        secretRef: 'ovirt',
        certConfigMap: 'ovirt-ca',
      },
    },
    storage,
    checkpoints: [
      { previous: '', current: 'a' },
      { previous: 'a', current: 'b' },
    ],
    finalCheckpoint: true,
  }),
  'what a Go client writes for stages that there are none of': dataVolume('no-stages', {
    source: { http },
    storage,
    checkpoints: [],
    finalCheckpoint: false,
  }),
  'a VolumeImportSource with stages': object('VolumeImportSource', 'import-stages', {
    source: { imageio: { url: 'https://engine.example.com/ovirt-engine/api', diskId: 'd', secretRef: 'engine' } },
    targetClaim: 'disk',
    checkpoints: [{ previous: '', current: 'a' }],
  }),
  'a VolumeImportSource': object('VolumeImportSource', 'import', { source: { http }, contentType: 'kubevirt' }),
  'a VolumeUploadSource': object('VolumeUploadSource', 'upload', {}),
  'a VolumeCloneSource of a claim': object('VolumeCloneSource', 'clone', {
    source: { kind: 'PersistentVolumeClaim', name: 'golden' },
  }),
  'a VolumeCloneSource of a snapshot': object('VolumeCloneSource', 'clone-snapshot', {
    source: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'golden' },
  }),
  'a StorageProfile': object('StorageProfile', 'fast', {
    cloneStrategy: 'csi-clone',
    claimPropertySets: [{ accessModes: ['ReadWriteMany'], volumeMode: 'Block' }],
  }),
  'references with an empty namespace, as Go clients write them': object('DataSource', 'own-namespace', {
    source: { dataSource: { namespace: '', name: 'fedora' } },
  }),
  'a sourceRef with an empty namespace': dataVolume('own-source-ref', {
    sourceRef: { kind: 'DataSource', namespace: '', name: 'fedora' },
    storage,
  }),
  'a clone with an empty namespace': dataVolume('own-source', {
    source: { pvc: { namespace: '', name: 'fedora' } },
    pvc,
  }),
  'a DataSource that stands for nothing yet': object('DataSource', 'empty', { source: {} }),
  'a DataImportCron': object('DataImportCron', 'cron', {
    ...registryTemplate,
    schedule: '0 3 * * *',
    managedDataSource: 'fedora',
  }),
  'the installation': object('CDI', 'cdi', {
    imagePullPolicy: 'IfNotPresent',
    infra: { nodeSelector: { 'kubernetes.io/os': 'linux' }, tolerations: [{ key: 'a', operator: 'Exists' }] },
    workload: { nodeSelector: { 'kubernetes.io/os': 'linux' } },
    config: {
      featureGates: ['HonorWaitForFirstConsumer'],
      filesystemOverhead: { global: '0.06', storageClass: { local: '0' } },
      podResourceRequirements: { limits: { cpu: '750m', memory: '600M' } },
      insecureRegistries: ['registry:5000'],
    },
  }),
  'the settings': object('CDIConfig', 'config', {}),
};

/** Objects that must be refused, and what kubectl must say of each. */
export const refused: Record<string, [object, ...string[]]> = {
  'a misspelt source': [dataVolume('bad', { source: { htpp: http }, pvc }), 'unknown field "spec.source.htpp"'],
  'a misspelt field of the spec': [
    dataVolume('bad', { source: { http }, pvc, pvcc: pvc }),
    'unknown field "spec.pvcc"',
  ],
  'a misspelt field of a source': [
    dataVolume('bad', { source: { http: { ...http, checksumm: 'a' } }, pvc }),
    'unknown field "spec.source.http.checksumm"',
  ],
  'two sources': [
    dataVolume('bad', { source: { http, blank: {} }, pvc }),
    'spec.source: Invalid value: source must have exactly one of http, s3, gcs, registry, pvc, snapshot, upload, blank, imageio, vddk, file',
    'but has http and blank',
  ],
  'stages of a source that is imported at once': [
    dataVolume('bad', { source: { http }, pvc, checkpoints: [{ previous: '', current: 'a' }] }),
    'checkpoints are the stages of an import from spec.source.imageio or spec.source.vddk; every other source is imported at once',
  ],
  'a disk of oVirt without a login': [
    dataVolume('bad', { source: { imageio: { url: 'https://engine.example.com', diskId: 'd' } }, pvc }),
    'spec.source.imageio.secretRef',
  ],
  'a disk of oVirt without an identifier': [
    dataVolume('bad', {
      source: { imageio: { url: 'https://engine.example.com', diskId: '', secretRef: 'engine' } },
      pvc,
    }),
    'spec.source.imageio.diskId',
  ],
  'a disk of VMware of no machine, file or login': [
    dataVolume('bad', { source: { vddk: { url: 'https://vcenter.example.com', uuid: '' } }, pvc }),
    'spec.source.vddk.uuid',
    'spec.source.vddk.backingFile',
    'spec.source.vddk.secretRef',
  ],
  'a disk of VMware of no vCenter': [
    dataVolume('bad', { source: { vddk: { uuid: 'u', backingFile: '[d] a/a.vmdk', secretRef: 'vcenter' } }, pvc }),
    'spec.source.vddk.url',
  ],
  'a stage up to nothing': [
    dataVolume('bad', {
      source: { imageio: { url: 'https://engine.example.com', diskId: 'd', secretRef: 'engine' } },
      pvc,
      checkpoints: [{ previous: '', current: '' }],
    }),
    'spec.checkpoints[0].current',
  ],
  'stages that fill no claim in particular': [
    object('VolumeImportSource', 'bad', {
      source: { imageio: { url: 'https://engine.example.com', diskId: 'd', secretRef: 'engine' } },
      checkpoints: [{ previous: '', current: 'a' }],
    }),
    'targetClaim must name the one claim that a multi-stage import with these checkpoints fills',
  ],
  'an empty source': [dataVolume('bad', { source: {}, pvc }), 'exactly one of http, s3', 'but has none'],
  'a blank without braces': [dataVolume('bad', { source: { blank: null }, pvc }), 'blank: {}'],
  'no source': [dataVolume('bad', { pvc }), 'spec must have source or sourceRef'],
  'a source and a sourceRef': [
    dataVolume('bad', { source: { http }, sourceRef: { kind: 'DataSource', name: 'fedora' }, pvc }),
    'exactly one of source, sourceRef',
  ],
  'a source and a dataSourceRef': [
    dataVolume('bad', {
      source: { http },
      pvc: { ...pvc, dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'a' } },
    }),
    'spec must have no source or sourceRef where its pvc or storage has a dataSource or dataSourceRef',
  ],
  'a sourceRef to something else': [
    dataVolume('bad', { sourceRef: { kind: 'PersistentVolumeClaim', name: 'fedora' }, pvc }),
    'spec.sourceRef.kind: Unsupported value: "PersistentVolumeClaim": supported values: "DataSource"',
  ],
  'a pvc and a storage': [dataVolume('bad', { source: { http }, pvc, storage }), 'exactly one of pvc, storage'],
  'neither pvc nor storage': [dataVolume('bad', { source: { http } }), 'exactly one of pvc, storage, but has none'],
  'a pvc without a size': [
    dataVolume('bad', { source: { http }, pvc: { accessModes: ['ReadWriteOnce'] } }),
    'spec.pvc.resources.requests.storage must give the size',
  ],
  'a pvc without access modes': [
    dataVolume('bad', { source: { http }, pvc: { resources: pvc.resources } }),
    'spec.pvc.accessModes must have at least one',
  ],
  'a pvc with several access modes': [
    dataVolume('bad', { source: { http }, pvc: { ...pvc, accessModes: ['ReadWriteOnce', 'ReadWriteMany'] } }),
    'spec.pvc.accessModes must have no more than one access mode',
  ],
  'an empty disk of files': [
    dataVolume('bad', { source: { blank: {} }, pvc, contentType: 'archive' }),
    'spec.source.blank makes an empty disk',
  ],
  'a VolumeImportSource of an empty disk of files': [
    object('VolumeImportSource', 'bad', { source: { blank: {} }, contentType: 'archive' }),
    'source.blank makes an empty disk',
  ],
  'an import without a size': [
    dataVolume('bad', { source: { http }, storage: {} }),
    'spec.storage.resources.requests.storage must give the size',
  ],
  'a size that is none': [
    dataVolume('bad', { source: { blank: {} }, storage: { resources: resourcesOf('1GB') } }),
    'spec.storage.resources.requests.storage: Invalid value: "1GB"',
  ],
  'a size of nothing': [
    dataVolume('bad', { source: { blank: {} }, storage: { resources: resourcesOf('0') } }),
    'requests.storage must be more than 0',
  ],
  'an access mode by its abbreviation': [
    dataVolume('bad', { source: { http }, pvc: { ...pvc, accessModes: ['RWO'] } }),
    'spec.pvc.accessModes[0]: Unsupported value: "RWO"',
  ],
  'an http source with another scheme': [
    dataVolume('bad', { source: { http: { url: 'ftp://example.com/disk.img' } }, pvc }),
    'spec.source.http.url: Invalid value: "ftp://example.com/disk.img": url must start with http:// or https://',
  ],
  'a file that is anywhere': [
    dataVolume('bad', { source: { file: { path: '/etc/passwd' } }, pvc }),
    'spec.source.file.path',
    'path must be relative to the folder of source files, and without ..',
  ],
  'a file that is out of its folder': [
    object('VolumeImportSource', 'bad', { source: { file: { path: 'golden/../../passwd' } } }),
    'path must be relative to the folder of source files, and without ..',
  ],
  'a registry source without a scheme': [
    dataVolume('bad', { source: { registry: { url: 'quay.io/fedora:40' } }, pvc }),
    'spec.source.registry.url',
    'url must start with docker:// or oci-archive:',
  ],
  'a registry source with a url and an image stream': [
    dataVolume('bad', { source: { registry: { url: 'docker://a', imageStream: 'a', pullMethod: 'node' } }, pvc }),
    'registry must have exactly one of url, imageStream, but has url and imageStream',
  ],
  'an image stream pulled by the pod': [
    dataVolume('bad', { source: { registry: { imageStream: 'a' } }, pvc }),
    'registry.imageStream needs pullMethod node',
  ],
  'a url without a host': [
    dataVolume('bad', { source: { http: { url: 'http:///disk.qcow2' } }, pvc }),
    'url must name a host',
  ],
  'a url with a host that none can have': [
    dataVolume('bad', { source: { http: { url: 'http://exa mple.com/disk.qcow2' } }, pvc }),
    'url must be a valid URL',
  ],
  'a url with a port that is none': [
    object('VolumeImportSource', 'bad', { source: { s3: { url: 'https://example.com:s3/bucket/disk' } } }),
    'url must be a valid URL',
  ],
  'a url that is encoded wrongly': [
    dataVolume('bad', { source: { gcs: { url: 'gs://bucket/disk%zz' } }, pvc }),
    'url must be a valid URL',
  ],
  'a header of two lines': [
    dataVolume('bad', { source: { http: { ...http, extraHeaders: ['A: b\nC: d'] } }, pvc }),
    'spec.source.http.extraHeaders[0]',
  ],
  'a schedule of four fields': [
    object('DataImportCron', 'bad', { ...registryTemplate, schedule: '0 3 * *', managedDataSource: 'a' }),
    'schedule must be empty or have five fields as in cron',
  ],
  'a checksum of the wrong length': [
    dataVolume('bad', { source: { http: { ...http, checksum: 'sha256:abc' } }, pvc }),
    'spec.source.http.checksum',
    'checksum must be md5:, sha1:, sha256: or sha512:',
  ],
  'a clone without a namespace': [
    dataVolume('bad', { source: { pvc: { name: 'fedora' } }, storage }),
    'spec.source.pvc.namespace: Required value',
  ],
  'an unknown content type': [
    dataVolume('bad', { source: { http }, pvc, contentType: 'qcow2' }),
    'spec.contentType: Unsupported value: "qcow2": supported values: "kubevirt", "archive"',
  ],
  'a VolumeImportSource without a source': [
    object('VolumeImportSource', 'bad', { contentType: 'kubevirt' }),
    'spec.source: Required value',
  ],
  'a VolumeImportSource with two sources': [
    object('VolumeImportSource', 'bad', { source: { http, blank: {} } }),
    'source must have exactly one of http, s3, gcs, registry, blank, imageio, vddk, file',
  ],
  'a VolumeCloneSource of something else': [
    object('VolumeCloneSource', 'bad', { source: { kind: 'Pod', name: 'a' } }),
    'source must be a PersistentVolumeClaim, or a VolumeSnapshot',
  ],
  'a StorageProfile with nine claim property sets': [
    object('StorageProfile', 'bad', {
      claimPropertySets: Array.from({ length: 9 }, () => ({ accessModes: ['ReadWriteOnce'], volumeMode: 'Block' })),
    }),
    'spec.claimPropertySets: Too many: 9: must have at most 8 items',
  ],
  'a StorageProfile with an unknown clone strategy': [
    object('StorageProfile', 'bad', { cloneStrategy: 'magic' }),
    'supported values: "copy", "snapshot", "csi-clone"',
  ],
  'a DataSource with two sources': [
    object('DataSource', 'bad', {
      source: { pvc: { namespace: 'a', name: 'a' }, snapshot: { namespace: 'a', name: 'a' } },
    }),
    'source must have at most one of pvc, snapshot, dataSource, but has pvc and snapshot',
  ],
  'a DataImportCron that keeps less than nothing': [
    object('DataImportCron', 'bad', { ...registryTemplate, schedule: '', managedDataSource: 'a', importsToKeep: -1 }),
    'spec.importsToKeep',
    'should be greater than or equal to 0',
  ],
  'a DataImportCron of something that has no versions': [
    object('DataImportCron', 'bad', {
      template: { spec: { source: { blank: {} }, storage } },
      schedule: '',
      managedDataSource: 'a',
    }),
    'the template of a DataImportCron must have one of the sources registry, http, s3, gcs, pvc',
  ],
  'a DataImportCron of a DataSource': [
    object('DataImportCron', 'bad', {
      template: { spec: { sourceRef: { kind: 'DataSource', name: 'fedora' }, storage } },
      schedule: '',
      managedDataSource: 'a',
    }),
    'the template of a DataImportCron must have one of the sources registry, http, s3, gcs, pvc',
  ],
  'a DataImportCron of files': [
    object('DataImportCron', 'bad', {
      template: { spec: { ...registryTemplate.template.spec, contentType: 'archive' } },
      schedule: '',
      managedDataSource: 'a',
    }),
    'the template of a DataImportCron cannot have contentType',
  ],
  'a DataImportCron in stages': [
    object('DataImportCron', 'bad', {
      template: { spec: { ...registryTemplate.template.spec, finalCheckpoint: true } },
      schedule: '',
      managedDataSource: 'a',
    }),
    'the template of a DataImportCron cannot have finalCheckpoint',
  ],
  'a DataImportCron whose name is no label': [
    object('DataImportCron', 'a'.repeat(64), { ...registryTemplate, schedule: '', managedDataSource: 'a' }),
    'the name of a DataImportCron must have no more than 63 characters',
  ],
  'a DataImportCron of a DataSource whose name is no label': [
    object('DataImportCron', 'bad', { ...registryTemplate, schedule: '', managedDataSource: 'a'.repeat(64) }),
    'spec.managedDataSource: Too long',
  ],
  'a DataImportCron whose template has no source': [
    object('DataImportCron', 'bad', { template: { spec: { storage } }, schedule: '', managedDataSource: 'a' }),
    'spec must have source or sourceRef',
  ],
  'a certificate that is replaced before it is made': [
    object('CDI', 'bad', { certConfig: { ca: { duration: '24h', renewBefore: '48h0m0s' } } }),
    'renewBefore must be shorter than duration',
  ],
  'a certificate that lives for seconds': [
    object('CDI', 'bad', { certConfig: { server: { duration: '30s' } } }),
    'duration must be 1m at least',
  ],
  'a lifetime that is none': [
    object('CDI', 'bad', { certConfig: { client: { duration: 'a day' } } }),
    'spec.certConfig.client.duration',
  ],
  'an overhead in per cent': [
    object('CDI', 'bad', { config: { filesystemOverhead: { global: '6%' } } }),
    'spec.config.filesystemOverhead.global',
  ],
};
