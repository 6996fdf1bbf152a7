import { expect } from 'chai';
import type { StorageProfile, StorageProfileSpec } from '../../../../src/api/storage-profile.ts';
import { profileLabels } from '../../../../src/controllers/storage-profile/metric.ts';
import { resolveProfile } from '../../../../src/controllers/storage-profile/resolve.ts';
import type { PersistentVolume, StorageClass } from '../../../../src/kube/builtin-resources.ts';
import type { VolumeSnapshotClass } from '../../../../src/kube/snapshot-resources.ts';

interface Given {
  readonly provisioner: string;
  readonly parameters?: Record<string, string>;
  readonly classAnnotations?: Record<string, string>;
  readonly spec?: StorageProfileSpec;
  readonly annotations?: Record<string, string>;
  readonly volumes?: PersistentVolume[];
  readonly snapshotClasses?: VolumeSnapshotClass[];
}

const storageClassOf = ({ provisioner, parameters, classAnnotations }: Given): StorageClass => ({
  metadata: { name: 'fast', annotations: classAnnotations },
  provisioner,
  ...(parameters ? { parameters } : {}),
});

function resolve(given: Given) {
  const profile = {
    apiVersion: 'cdi.kubevirt.io/v1beta1',
    kind: 'StorageProfile',
    metadata: { name: 'fast', annotations: given.annotations },
    spec: given.spec ?? {},
  } as StorageProfile;
  const { volumes = [], snapshotClasses = [] } = given;
  return resolveProfile({ storageClass: storageClassOf(given), profile, volumes, snapshotClasses });
}

const reasonOf = (given: Given) => resolve(given).status.conditions?.[0]?.reason;
const snapshotClass = (name: string, driver: string, more: object = {}): VolumeSnapshotClass => ({
  metadata: { name },
  driver,
  deletionPolicy: 'Delete',
  ...more,
});

describe('StorageProfiles', () => {
  it('tell what is known of the provisioner', () => {
    const { status, annotations } = resolve({ provisioner: 'rook-ceph.rbd.csi.ceph.com' });
    expect(status.claimPropertySets).to.deep.equal([
      { accessModes: ['ReadWriteMany'], volumeMode: 'Block' },
      { accessModes: ['ReadWriteOnce'], volumeMode: 'Block' },
      { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem' },
    ]);
    expect(status).to.include({ provisioner: 'rook-ceph.rbd.csi.ceph.com', cloneStrategy: 'csi-clone' });
    expect(status.conditions?.[0]).to.include({ status: 'True', reason: 'RecognizedProvisioner' });
    expect(annotations).to.deep.equal({});
  });

  it('let the spec win over what is known', () => {
    const spec: StorageProfileSpec = {
      cloneStrategy: 'copy',
      claimPropertySets: [{ accessModes: ['ReadOnlyMany'], volumeMode: 'Filesystem' }],
      dataImportCronSourceFormat: 'pvc',
    };
    expect(resolve({ provisioner: 'rook-ceph.rbd.csi.ceph.com', spec }).status).to.deep.include(spec);
  });

  it('take the clone strategy from the StorageClass, where the spec says none', () => {
    const provisioner = 'rook-ceph.rbd.csi.ceph.com';
    const strategyOf = (told: string, spec: StorageProfileSpec = {}) =>
      resolve({ provisioner, spec, classAnnotations: { 'cdi.kubevirt.io/clone-strategy': told } }).status.cloneStrategy;
    expect(strategyOf('copy')).to.equal('copy');
    expect(strategyOf('copy', { cloneStrategy: 'snapshot' })).to.equal('snapshot');
    expect(strategyOf('fast')).to.equal('csi-clone');
  });

  it('say what to do about a provisioner that is not known', () => {
    const { status } = resolve({ provisioner: 'disks.example' });
    expect(status).to.not.have.property('claimPropertySets');
    expect(status.cloneStrategy).to.equal('snapshot');
    expect(status.conditions?.[0]).to.include({ status: 'False', reason: 'UnrecognizedProvisioner' });
    expect(status.conditions?.[0]?.message).to.match(/claimPropertySets/);
  });

  it('look at the parameters that select a variant', () => {
    const provisioner = 'csi.trident.netapp.io';
    const nas = resolve({ provisioner, parameters: { backendType: 'ontap-nas-economy' } }).status;
    expect(nas.claimPropertySets?.[0]).to.deep.equal({ accessModes: ['ReadWriteMany'], volumeMode: 'Filesystem' });
    expect(reasonOf({ provisioner, parameters: { backendType: 'solidfire-san' } })).to.equal(
      'UnrecognizedStorageClassParameters',
    );
    expect(reasonOf({ provisioner })).to.equal('UnrecognizedStorageClassParameters');
  });

  it('know the smallest volume, and leave what somebody has set', () => {
    const given = { provisioner: 'ebs.csi.aws.com', parameters: { type: 'io1' } };
    const name = 'cdi.kubevirt.io/minimumSupportedPvcSize';
    expect(resolve(given).annotations).to.deep.equal({ [name]: '4Gi' });
    expect(resolve({ ...given, annotations: { [name]: '2Gi' } }).annotations).to.deep.equal({});
  });

  it('tell the modes of volumes that are made by hand from those that there are', () => {
    const provisioner = 'kubernetes.io/no-provisioner';
    const volume = (accessMode: string, volumeMode?: string): PersistentVolume => ({
      spec: { accessModes: [accessMode], ...(volumeMode ? { volumeMode } : {}) },
    });
    const volumes = [volume('ReadWriteOnce'), volume('ReadWriteOnce', 'Block'), volume('ReadWriteOnce')];
    expect(resolve({ provisioner, volumes }).status.claimPropertySets).to.deep.equal([
      { accessModes: ['ReadWriteOnce'], volumeMode: 'Block' },
      { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem' },
    ]);
    expect(reasonOf({ provisioner })).to.equal('UnrecognizedProvisioner');
  });

  it('ask nothing of provisioners of something else than disks', () => {
    const provisioner = 'rook-ceph.ceph.rook.io/bucket';
    const { status } = resolve({ provisioner });
    expect(status.conditions?.[0]?.status).to.equal('True');
    expect(profileLabels(storageClassOf({ provisioner }), { status } as StorageProfile).complete).to.equal('true');
  });

  describe('choose the VolumeSnapshotClass', () => {
    const provisioner = 'pd.csi.storage.gke.io';
    const isDefault = { 'snapshot.storage.kubernetes.io/is-default-class': 'true' };
    const snapshotClasses = [
      snapshotClass('other', 'other.example'),
      snapshotClass('b', provisioner, { parameters: { 'snapshot-type': 'images' } }),
      snapshotClass('c', provisioner, { metadata: { name: 'c', annotations: isDefault } }),
      snapshotClass('a', provisioner),
    ];
    const chosen = (given: Partial<Given>) => resolve({ provisioner, snapshotClasses, ...given }).status.snapshotClass;

    it('of the spec, else the default, else the first', () => {
      expect(chosen({ spec: { snapshotClass: 'b' } })).to.equal('b');
      expect(chosen({})).to.equal('c');
      expect(chosen({ snapshotClasses: snapshotClasses.filter(({ metadata }) => metadata?.name !== 'c') })).to.equal(
        'a',
      );
    });

    it('never of another driver', () => {
      expect(chosen({ spec: { snapshotClass: 'other' } })).to.equal(undefined);
      expect(chosen({ snapshotClasses: [snapshotClass('other', 'other.example')] })).to.equal(undefined);
    });

    it('with the parameters that suit images for DataImportCrons', () => {
      const { annotations, status } = resolve({ provisioner, snapshotClasses });
      expect(annotations).to.deep.equal({
        'cdi.kubevirt.io/useReadWriteOnceForDataImportCron': 'true',
        'cdi.kubevirt.io/snapshotClassForDataImportCron': 'b',
      });
      expect(status.dataImportCronSourceFormat).to.equal('snapshot');
      expect(resolve({ provisioner }).status.dataImportCronSourceFormat, 'without a class').to.equal('pvc');
    });
  });

  it('are told as a metric', () => {
    const provisioner = 'rook-ceph.rbd.csi.ceph.com';
    const { status } = resolve({ provisioner });
    const storageClass = storageClassOf({ provisioner });
    storageClass.metadata = {
      name: 'fast',
      annotations: { 'storageclass.kubevirt.io/is-default-virt-class': 'true' },
    };
    expect(profileLabels(storageClass, { status } as StorageProfile)).to.deep.equal({
      storageclass: 'fast',
      provisioner,
      complete: 'true',
      default: 'false',
      virtdefault: 'true',
      rwx: 'true',
      smartclone: 'true',
      degraded: 'false',
    });
  });
});
