import {
  both,
  type Capabilities,
  type Claim,
  contains,
  is,
  isInAnyCase,
  isNotEmpty,
  isPresent,
  not,
  startsWith,
  type Variants,
} from './capabilities.ts';

const RWX_BLOCK: Claim = ['ReadWriteMany', 'Block'];
const RWX_FILE: Claim = ['ReadWriteMany', 'Filesystem'];
const RWO_BLOCK: Claim = ['ReadWriteOnce', 'Block'];
const RWO_FILE: Claim = ['ReadWriteOnce', 'Filesystem'];
const ROX_BLOCK: Claim = ['ReadOnlyMany', 'Block'];
const ROX_FILE: Claim = ['ReadOnlyMany', 'Filesystem'];

const FSTYPE = 'csi.storage.k8s.io/fstype';

const csiClone = { cloneStrategy: 'csi-clone' } as const;
const copy = { cloneStrategy: 'copy' } as const;
/** Capabilities of a provisioner that clones by snapshots, and keeps the images of DataImportCrons as snapshots. */
const bySnapshot = { cloneStrategy: 'snapshot', dataImportCronSourceFormat: 'snapshot' } as const;
const atLeast = (minimumSupportedPvcSize: string) => ({ minimumSupportedPvcSize });

const sharedFiles: Capabilities = { claims: [RWX_FILE] };
const files: Capabilities = { claims: [RWX_FILE, RWO_FILE] };
const readableFiles: Capabilities = { claims: [RWX_FILE, RWO_FILE, ROX_FILE] };
const localFiles: Capabilities = { claims: [RWO_FILE] };
const attachedBlock: Capabilities = { claims: [RWO_BLOCK] };
const attached: Capabilities = { claims: [RWO_BLOCK, RWO_FILE] };
/** Capabilities of a block device that several nodes can use at once, unlike a filesystem on it. */
const sharedBlock: Capabilities = { claims: [RWX_BLOCK, RWO_BLOCK, RWO_FILE] };
const readableBlock: Capabilities = { claims: [RWX_BLOCK, RWO_BLOCK, RWO_FILE, ROX_BLOCK] };
const readableStorage: Capabilities = { claims: [RWX_BLOCK, RWO_BLOCK, RWO_FILE, ROX_BLOCK, ROX_FILE] };

const rookBlock: Capabilities = { ...sharedBlock, ...csiClone, dataImportCronSourceFormat: 'snapshot' };
const portworx: Capabilities = { claims: [RWX_BLOCK, RWX_FILE, RWO_BLOCK, RWO_FILE] };
const portworxFiles = contains('sharedv4_mount_options', 'vers=3.0', 'nolock');
const persistentDisk = {
  ...bySnapshot,
  useReadWriteOnceForDataImportCron: true,
  dataImportCronSnapshotClassParameters: { 'snapshot-type': 'images' },
} as const;
const synologyFiles: Capabilities = { ...files, ...csiClone, ...atLeast('1Gi') };

/** Capabilities of provisioners by name; variants depend on the StorageClass's parameters. */
export const knownProvisioners: Readonly<Record<string, Capabilities | Variants>> = {
  'kubevirt.io.hostpath-provisioner': {
    variants: [[isPresent('overlayCSI'), sharedFiles]],
    otherwise: localFiles,
  },
  'kubevirt.io/hostpath-provisioner': localFiles,
  'k8s.io/minikube-hostpath': localFiles,
  'directpv-min-io': localFiles,
  'nfs.csi.k8s.io': sharedFiles,
  'k8s-sigs.io/nfs-subdir-external-provisioner': sharedFiles,
  'manila.csi.openstack.org': sharedFiles,

  'kubernetes.io/rbd': sharedBlock,
  'rbd.csi.ceph.com': { ...sharedBlock, ...csiClone },
  'rook-ceph.rbd.csi.ceph.com': rookBlock,
  'openshift-storage.rbd.csi.ceph.com': rookBlock,
  'cephfs.csi.ceph.com': { ...files, ...csiClone },
  'rook-ceph.cephfs.csi.ceph.com': { ...files, ...csiClone },
  'openshift-storage.cephfs.csi.ceph.com': { ...files, ...csiClone },

  'linstor.csi.linbit.com': readableStorage,
  'topolvm.cybozu.com': { ...attached, ...copy },
  'topolvm.io': { ...attached, ...copy },
  'kubesan.gitlab.io': { claims: [RWX_BLOCK, ROX_BLOCK, RWO_BLOCK, RWO_FILE], ...csiClone },
  'driver.longhorn.io': {
    variants: [
      [is('migratable', 'true'), { claims: [RWX_BLOCK, RWO_BLOCK] }],
      [isNotEmpty('nfsOptions'), files],
      [isNotEmpty('fsType'), localFiles],
    ],
    otherwise: attachedBlock,
  },
  'kubernetes.io/storageos': localFiles,
  storageos: localFiles,
  'kubernetes.io/portworx-volume': { variants: [[portworxFiles, files]], otherwise: portworx },
  'pxd.portworx.com': {
    variants: [
      [is('backend', 'pure_block'), { ...sharedBlock, ...csiClone }],
      [is('backend', 'pure_fa_file'), { ...files, ...csiClone }],
      [both(not(isPresent('backend')), portworxFiles), { ...files, ...csiClone }],
    ],
    otherwise: { ...portworx, ...csiClone },
  },

  'csi-unity.dellemc.com': { variants: [[isInAnyCase('protocol', 'nfs'), readableFiles]], otherwise: readableStorage },
  'csi-vxflexos.dellemc.com': {
    variants: [[is(FSTYPE, 'nfs'), readableFiles]],
    otherwise: { ...readableStorage, ...csiClone },
  },
  'csi-isilon.dellemc.com': { ...readableFiles, ...csiClone },
  'csi-powermax.dellemc.com': {
    variants: [[is(FSTYPE, 'nfs'), readableFiles]],
    otherwise: { ...readableBlock, ...csiClone },
  },
  'csi-powerstore.dellemc.com': {
    variants: [[is(FSTYPE, 'nfs'), readableFiles]],
    otherwise: { ...readableBlock, ...copy },
  },
  'hspc.csi.hitachi.com': { ...sharedBlock, ...csiClone, ...atLeast('1Gi') },
  'csi.hpe.com': { ...sharedBlock, ...csiClone },
  'xspc.csi.hpe.com': { claims: [], ...atLeast('1Gi') },
  'spectrumscale.csi.ibm.com': { ...files, ...csiClone },
  'block.csi.ibm.com': { ...sharedBlock, ...csiClone },
  'csi.huawei.com': { variants: [[is('protocol', 'nfs'), readableFiles]], otherwise: readableStorage },
  'csi.san.synology.com': {
    variants: [
      [is('protocol', 'iscsi', ''), { ...sharedBlock, ...csiClone, ...atLeast('1Gi') }],
      [is('protocol', 'smb', 'nfs', 'nfs_treeq'), synologyFiles],
    ],
  },
  'csi.trident.netapp.io': {
    variants: [
      [startsWith('backendType', 'ontap-nas'), { ...files, ...bySnapshot }],
      [startsWith('backendType', 'ontap-san'), { claims: [RWX_BLOCK], ...bySnapshot }],
      [
        both(is('backendType', 'google-cloud-netapp-volumes'), contains('selector', 'performance=flex')),
        { ...files, ...bySnapshot, ...atLeast('1Gi') },
      ],
    ],
  },
  'infinibox-csi-driver': {
    variants: [
      [is('storage_protocol', 'iscsi', 'fc', 'nvme'), { ...sharedBlock, ...csiClone }],
      [is('storage_protocol', 'nfs', 'nfs_treeq'), { ...files, ...csiClone }],
    ],
  },

  'kubernetes.io/aws-ebs': attachedBlock,
  'ebs.csi.aws.com': {
    variants: [
      [is('type', 'io1'), { ...attachedBlock, ...atLeast('4Gi') }],
      [is('type', 'io2'), { ...sharedBlock, ...atLeast('4Gi') }],
      [is('type', 'gp2', 'gp3'), { ...attachedBlock, ...atLeast('1Gi') }],
    ],
    otherwise: attachedBlock,
  },
  'efs.csi.aws.com': files,
  'kubernetes.io/azure-disk': attachedBlock,
  'disk.csi.azure.com': attachedBlock,
  'kubernetes.io/azure-file': sharedFiles,
  'file.csi.azure.com': sharedFiles,
  'kubernetes.io/gce-pd': attached,
  'pd.csi.storage.gke.io': {
    variants: [
      [
        is('type', 'hyperdisk-balanced', 'hyperdisk-balanced-high-availability'),
        { ...sharedBlock, ...persistentDisk, ...atLeast('4Gi') },
      ],
    ],
    otherwise: { ...attached, ...persistentDisk },
  },
  'vpc.block.csi.ibm.io': { ...attached, ...copy },
  'vpc.file.csi.ibm.io': {
    variants: [
      [both(is('profile', 'rfs'), is('vmState', 'true')), { ...localFiles, ...bySnapshot, ...atLeast('1Gi') }],
      [is('profile', 'rfs'), { ...files, ...bySnapshot, ...atLeast('1Gi') }],
      [both(is('profile', 'dp2'), is('vmState', 'true')), { ...localFiles, ...bySnapshot, ...atLeast('10Gi') }],
      [is('profile', 'dp2'), { ...files, ...bySnapshot, ...atLeast('10Gi') }],
    ],
    otherwise: { ...files, ...bySnapshot },
  },
  'blockvolume.csi.oraclecloud.com': { ...sharedBlock, ...csiClone },
  'cinder.csi.openstack.org': attached,
  'csi.ovirt.org': attached,
  'csi.vsphere.vmware.com': {
    variants: [[contains(FSTYPE, 'nfs'), { claims: [RWX_FILE, RWO_BLOCK, RWO_FILE] }]],
    otherwise: attached,
  },
};

/** Provisioners of things other than disks, such as object buckets, which have no capabilities. */
export const notForDisks: ReadonlySet<string> = new Set([
  'openshift-storage.noobaa.io/obc',
  'openshift-storage.ceph.rook.io/bucket',
  'rook-ceph.ceph.rook.io/bucket',
  'stork-snapshot',
]);
