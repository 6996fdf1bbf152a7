import { expect } from 'chai';
import { dataImportCrons } from '../../../../src/api/data-import-cron.ts';
import { dataSources } from '../../../../src/api/data-source.ts';
import { dataVolumes } from '../../../../src/api/data-volume.ts';
import { persistentVolumeClaims, validatingAdmissionPolicies } from '../../../../src/kube/builtin-resources.ts';
import { volumeSnapshots } from '../../../../src/kube/snapshot-resources.ts';
import { STORAGE_CLASS, TEAM } from '../world/installation.ts';
import { CRON, digestOf, nameOf, Rig, SOURCE, template } from './rig.ts';

const DAY_MILLISECONDS = 24 * 3_600_000;
const own = (name: string) => ({ namespace: TEAM, name });

describe('a DataImportCron', () => {
  it('imports the image that there is by its digest, at once, and its DataSource stands for it', async () => {
    const rig = await Rig.of();
    rig.create({}, { labels: { 'instancetype.kubevirt.io/default-preference': 'fedora' } });
    await rig.rounds();
    expect(rig.standsFor).to.equal(`pvc ${nameOf(1)}`);
    const { api } = rig.world;
    const dataVolume = api.find(dataVolumes, own(nameOf(1)));
    expect(dataVolume?.spec.source?.registry?.url).to.equal(`docker://registry.example/images/fedora@${digestOf(1)}`);
    expect(dataVolume?.metadata.annotations).to.include({ 'cdi.kubevirt.io/storage.bind.immediate.requested': 'true' });
    expect(dataVolume?.metadata.labels).to.include({
      'cdi.kubevirt.io/dataImportCron': 'cron',
      'instancetype.kubevirt.io/default-preference': 'fedora',
    });
    expect(api.find(dataSources, SOURCE)?.metadata.labels).to.include({
      'cdi.kubevirt.io/dataImportCron': 'cron',
      'instancetype.kubevirt.io/default-preference': 'fedora',
    });
    expect(rig.cron?.status).to.deep.include({
      currentImports: [{ DataVolumeName: nameOf(1), Digest: digestOf(1) }],
      lastImportedPVC: own(nameOf(1)),
      sourceFormat: 'pvc',
    });
    expect(rig.condition('UpToDate')).to.include({ status: 'True', reason: 'UpToDate' });
    expect(rig.condition('Progressing')).to.include({ status: 'False', reason: 'NoImport' });
  });

  it('looks no more often than its schedule says, and writes nothing meanwhile', async () => {
    const rig = await Rig.of();
    rig.create();
    await rig.rounds(60);
    const { polls } = rig.registry;
    const { resourceVersion } = rig.cron?.metadata ?? {};
    await rig.rounds(100);
    expect(rig.registry.polls).to.equal(polls);
    expect(rig.cron?.metadata.resourceVersion).to.equal(resourceVersion);
  });

  it('imports a new version, and keeps as many images as it says', async () => {
    const rig = await Rig.of();
    rig.create({ importsToKeep: 2 });
    await rig.rounds();
    for (const version of [2, 3, 4]) {
      rig.publish(version);
      await rig.rounds();
      expect(rig.standsFor).to.equal(`pvc ${nameOf(version)}`);
    }
    expect(rig.images.claims).to.deep.equal([nameOf(3), nameOf(4)]);
  });

  it('takes an image again that it has kept, which then counts as the newest', async () => {
    const rig = await Rig.of();
    rig.create({ importsToKeep: 2 });
    await rig.rounds();
    for (const version of [2, 1, 3]) {
      rig.publish(version);
      await rig.rounds();
    }
    expect(rig.standsFor).to.equal(`pvc ${nameOf(3)}`);
    expect(rig.images.claims).to.deep.equal([nameOf(1), nameOf(3)]);
  });

  it('removes nothing where it is to collect no garbage', async () => {
    const rig = await Rig.of();
    rig.create({ importsToKeep: 1, garbageCollect: 'Never' });
    await rig.rounds();
    rig.publish(2);
    await rig.rounds();
    expect(rig.images.claims).to.deep.equal([nameOf(1), nameOf(2)]);
  });

  it('keeps the newest image, even where it is to keep none', async () => {
    const rig = await Rig.of();
    rig.create({ importsToKeep: 0 });
    await rig.rounds();
    rig.publish(2);
    await rig.rounds();
    expect(rig.images.claims).to.deep.equal([nameOf(2)]);
  });

  it('keeps images as snapshots where the storage is better at that, and their claims no longer', async () => {
    const rig = await Rig.of({ format: 'snapshot' });
    rig.create({ importsToKeep: 2 });
    await rig.rounds();
    expect(rig.standsFor).to.equal(`snapshot ${nameOf(1)}`);
    for (const version of [2, 3]) {
      rig.publish(version);
      await rig.rounds();
    }
    expect(rig.images).to.deep.equal({ dataVolumes: [], claims: [], snapshots: [nameOf(2), nameOf(3)] });
    expect(rig.cron?.status?.sourceFormat).to.equal('snapshot');
  });

  for (const [from, to] of [
    ['pvc', 'snapshot'],
    ['snapshot', 'pvc'],
  ] as const)
    it(`turns its image from a ${from} into a ${to} when the storage's profile changes`, async () => {
      const rig = await Rig.of({ format: from });
      rig.create();
      await rig.rounds();
      rig.keepAs(to);
      for (let round = 0; round < 20; round++) {
        await rig.rounds(1);
        const { snapshots, claims } = rig.images;
        expect([`pvc ${claims[0]}`, `snapshot ${snapshots[0]}`]).to.include(rig.standsFor);
      }
      expect(rig.standsFor).to.equal(`${to} ${nameOf(1)}`);
      const left = rig.images;
      expect(from === 'pvc' ? left.claims : left.snapshots).to.deep.equal([]);
    });

  it('does not give up a good image for one that cannot be imported, nor try that for ever', async () => {
    const rig = await Rig.of();
    rig.create();
    await rig.rounds();
    rig.publish(2);
    await rig.failing();
    expect(rig.standsFor).to.equal(`pvc ${nameOf(1)}`);
    expect(rig.condition('UpToDate')).to.include({ status: 'False', reason: 'ImportFailed' });
    expect(rig.condition('UpToDate')?.message).to.include('it is no image').and.to.include('tried again at');
    const made = () => rig.world.api.find(dataVolumes, own(nameOf(2)))?.metadata.uid;
    const first = made();
    await rig.failing(60);
    expect(made(), 'for a while').to.equal(first);
    rig.world.pass(DAY_MILLISECONDS);
    await rig.failing();
    expect(made(), 'after a day').to.not.equal(first);
    expect(rig.standsFor).to.equal(`pvc ${nameOf(1)}`);
  });

  it('imports a newer version at once where the last one cannot be imported', async () => {
    const rig = await Rig.of();
    rig.create();
    await rig.failing();
    expect(rig.standsFor).to.equal(undefined);
    rig.publish(2);
    await rig.rounds();
    expect(rig.standsFor).to.equal(`pvc ${nameOf(2)}`);
    expect(rig.images.dataVolumes).to.deep.equal([nameOf(2)]);
  });

  it('tells why it does not know of a newer image, and keeps the one that there is', async () => {
    const rig = await Rig.of();
    rig.create();
    await rig.rounds();
    rig.registry.error = new Error('the registry is being moved');
    rig.publish(2);
    await rig.rounds();
    expect(rig.condition('UpToDate')).to.include({ status: 'True', reason: 'PollFailed' });
    expect(rig.condition('UpToDate')?.message).to.include('the registry is being moved');
    rig.world.restart();
    await rig.rounds(1);
    expect(rig.condition('UpToDate')?.reason, 'until another look').to.equal('PollFailed');
    rig.registry.error = undefined;
    rig.world.pass(3_600_000);
    await rig.rounds();
    expect(rig.standsFor).to.equal(`pvc ${nameOf(2)}`);
    expect(rig.condition('UpToDate')).to.include({ status: 'True', reason: 'UpToDate' });
  });

  it('is not held up by the finalizer of CDI when it is deleted', async () => {
    const rig = await Rig.of();
    rig.create({}, { finalizers: ['cdi.kubevirt.io/dataImportCronFinalizer', 'example.com/other'] });
    await rig.rounds();
    rig.world.api.delete('author', dataImportCrons, CRON);
    await rig.rounds();
    expect(rig.cron?.metadata.finalizers).to.deep.equal(['example.com/other']);
    expect(rig.standsFor).to.equal(`pvc ${nameOf(1)}`);
  });

  it('makes a deleted image and a deleted DataSource again', async () => {
    const rig = await Rig.of();
    rig.create();
    await rig.rounds();
    const { api } = rig.world;
    api.delete('author', dataSources, SOURCE);
    await rig.rounds(2);
    expect(rig.standsFor).to.equal(`pvc ${nameOf(1)}`);
    for (const resource of [dataVolumes, persistentVolumeClaims] as const) {
      const { uid } = api.find(persistentVolumeClaims, own(nameOf(1)))?.metadata ?? {};
      api.delete('author', resource as typeof persistentVolumeClaims, own(nameOf(1)));
      await rig.rounds(20);
      expect(rig.condition('UpToDate')).to.include({ status: 'True', reason: 'UpToDate' });
      expect(api.find(persistentVolumeClaims, own(nameOf(1)))?.metadata?.uid).to.not.equal(uid);
    }
  });

  it('falls back to an older image where the newest is deleted, until that is there again', async () => {
    const rig = await Rig.of();
    rig.create();
    await rig.rounds();
    rig.publish(2);
    await rig.rounds();
    rig.world.api.delete('author', dataVolumes, own(nameOf(2)));
    await rig.rounds(2);
    expect(rig.standsFor).to.equal(`pvc ${nameOf(1)}`);
    await rig.rounds();
    expect(rig.standsFor).to.equal(`pvc ${nameOf(2)}`);
  });

  for (const format of ['pvc', 'snapshot'] as const) {
    it(`leaves its images and its DataSource when it is deleted, kept as a ${format}`, async () => {
      const rig = await Rig.of({ format });
      rig.create();
      await rig.rounds();
      const before = [rig.images, rig.standsFor];
      rig.world.api.delete('author', dataImportCrons, CRON);
      await rig.rounds();
      expect([rig.images, rig.standsFor]).to.deep.equal(before);
    });

    it(`takes all with it where its policy is to retain nothing, also what was there before, kept as a ${format}`, async () => {
      const rig = await Rig.of({ format });
      rig.create();
      await rig.rounds();
      rig.world.api.delete('author', dataImportCrons, CRON);
      rig.create({ retentionPolicy: 'None' });
      await rig.rounds();
      rig.publish(2);
      await rig.rounds();
      expect(rig.standsFor).to.equal(`${format} ${nameOf(2)}`);
      rig.world.api.delete('author', dataImportCrons, CRON);
      await rig.rounds();
      expect(rig.images).to.deep.equal({ dataVolumes: [], claims: [], snapshots: [] });
      expect(rig.standsFor).to.equal(undefined);
    });
  }

  it('leaves a DataSource alone that another one manages, or that has no label', async () => {
    const rig = await Rig.of();
    rig.create();
    await rig.rounds();
    rig.create({}, { name: 'second' });
    await rig.rounds();
    const second = rig.world.api.find(dataImportCrons, own('second'));
    const upToDate = second?.status?.conditions?.find(({ type }) => type === 'UpToDate');
    expect(upToDate).to.include({ status: 'False', reason: 'ErrDataSourceAlreadyManaged' });
    rig.world.api.delete('author', dataImportCrons, CRON);
    await rig.rounds();
    expect(rig.world.api.find(dataSources, SOURCE)?.metadata.labels).to.include({
      'cdi.kubevirt.io/dataImportCron': 'second',
    });
    rig.world.api.change('author', dataSources, SOURCE, (dataSource) => ({
      ...dataSource,
      metadata: { ...dataSource.metadata, labels: {} },
      spec: { source: { pvc: own('own') } },
    }));
    rig.publish(2);
    await rig.rounds();
    expect(rig.standsFor).to.equal('pvc own');
    expect(rig.images.claims).to.include(nameOf(2));
  });

  it('imports what somebody else names, where it has no schedule, and once by itself', async () => {
    const rig = await Rig.of();
    rig.create({ schedule: '' });
    await rig.rounds();
    expect(rig.standsFor).to.equal(`pvc ${nameOf(1)}`);
    rig.publish(2);
    await rig.rounds();
    expect(rig.registry.polls).to.equal(1);
    rig.world.api.change('author', dataImportCrons, CRON, (cron) => ({
      ...cron,
      metadata: {
        ...cron.metadata,
        annotations: {
          ...cron.metadata.annotations,
          'cdi.kubevirt.io/storage.import.sourceDesiredDigest': digestOf(3),
        },
      },
    }));
    await rig.rounds();
    expect(rig.standsFor).to.equal(`pvc ${nameOf(3)}`);
  });

  it('clones a claim anew when there is another one of its name', async () => {
    const rig = await Rig.of();
    const spec = { source: { pvc: own('own') }, storage: {} };
    rig.create({ template: { spec } });
    await rig.rounds(20);
    expect(rig.standsFor).to.equal('pvc fedora-persistentvo');
    expect(rig.condition('UpToDate')).to.include({ status: 'True', reason: 'UpToDate' });
  });

  for (const isChecked of [true, false])
    it(`${isChecked ? 'clones' : 'neither looks at nor clones'} a claim of another namespace where the right to do so is ${isChecked ? '' : 'not '}checked`, async () => {
      const rig = await Rig.of();
      const { api } = rig.world;
      const policy = { namespace: '', name: 'clone-from-data-import-cron.cdi.kubevirt.io' };
      if (!isChecked) api.delete('cluster', validatingAdmissionPolicies, policy);
      const spec = { source: { pvc: { namespace: 'golden', name: 'fedora' } }, storage: {} };
      rig.create({ template: { spec } });
      await rig.rounds(4);
      const digest = rig.cron?.metadata.annotations?.['cdi.kubevirt.io/storage.import.sourceDesiredDigest'];
      expect(digest).to.equal(isChecked ? 'uid:persistentvolumeclaim.golden.fedora.1' : undefined);
      if (isChecked) {
        await rig.rounds(20);
        expect(rig.standsFor).to.equal('pvc fedora-persistentvo');
        return;
      }
      expect(rig.condition('UpToDate')).to.include({ status: 'False', reason: 'PollFailed' });
      api.change('author', dataImportCrons, CRON, (cron) => ({
        ...cron,
        metadata: {
          ...cron.metadata,
          annotations: {
            'cdi.kubevirt.io/storage.import.sourceDesiredDigest': 'uid:persistentvolumeclaim.golden.fedora.1',
          },
        },
      }));
      await rig.rounds(4);
      expect(rig.images.dataVolumes).to.deep.equal([]);
      expect(rig.condition('UpToDate')).to.include({ status: 'False', reason: 'PolicyMissing' });
    });

  it('imports into another storage class when that becomes the default one, and loses nothing meanwhile', async () => {
    const rig = await Rig.of();
    rig.create({ importsToKeep: 1 });
    await rig.rounds();
    expect(rig.images.claims).to.deep.equal([nameOf(1)]);
    rig.world.api.change('cluster', dataVolumes, own(nameOf(1)), (dataVolume) => ({
      ...dataVolume,
      metadata: {
        ...dataVolume.metadata,
        annotations: { ...dataVolume.metadata.annotations, 'cdi.kubevirt.io/storage.import.storageClass': 'earlier' },
      },
    }));
    for (let round = 0; round < 14; round++) {
      await rig.rounds(1);
      expect(rig.images.claims.map((name) => `pvc ${name}`)).to.include(rig.standsFor);
    }
    expect(rig.standsFor).to.match(new RegExp(`^pvc ${nameOf(1)}-[0-9a-f]{8}$`));
    expect(rig.images.claims, 'of the earlier class').to.have.length(1);
    expect(rig.cron?.metadata.annotations).to.include({
      'cdi.kubevirt.io/storage.import.storageClass': STORAGE_CLASS,
    });
    await rig.rounds();
    expect(rig.images.claims).to.have.length(1);
  });

  it('looks once more after an import that may have got a newer version than was found', async () => {
    const rig = await Rig.of();
    const source = { http: { url: 'http://server.example/disk.img' } };
    rig.create({ schedule: '0 0 1 1 *', template: { spec: { ...template.spec, source } } });
    await rig.rounds(3);
    rig.registry.version = 2;
    await rig.rounds(24);
    expect(rig.standsFor).to.equal(`pvc ${nameOf(2)}`);
    const { polls } = rig.registry;
    await rig.rounds(20);
    expect(rig.registry.polls).to.equal(polls);
  });

  it('goes on with the image of earlier controllers, whose DataVolume is gone', async () => {
    const rig = await Rig.of();
    rig.create();
    await rig.rounds();
    const { api } = rig.world;
    api.change('cluster', persistentVolumeClaims, own(nameOf(1)), (claim) => ({
      ...claim,
      metadata: { ...claim.metadata, ownerReferences: [] },
    }));
    api.delete('cluster', dataVolumes, own(nameOf(1)));
    const { uid } = api.find(persistentVolumeClaims, own(nameOf(1)))?.metadata ?? {};
    rig.world.restart();
    await rig.rounds();
    expect(rig.images).to.deep.equal({ dataVolumes: [], claims: [nameOf(1)], snapshots: [] });
    expect(api.find(persistentVolumeClaims, own(nameOf(1)))?.metadata?.uid).to.equal(uid);
    expect(rig.condition('UpToDate')).to.include({ status: 'True', reason: 'UpToDate' });
    for (const version of [2, 3, 4]) {
      rig.publish(version);
      await rig.rounds();
    }
    expect(rig.images.claims, 'which goes like others').to.deep.equal([2, 3, 4].map(nameOf));
  });

  it('tells what is wrong with a schedule that says no time', async () => {
    const rig = await Rig.of();
    rig.create({ schedule: '0 0 31 2 *' });
    await rig.rounds(2);
    expect(rig.condition('UpToDate')).to.include({ status: 'False', reason: 'ScheduleNotValid' });
    expect(rig.registry.polls).to.equal(0);
  });

  it('does not take for an image what has the name of one and is somebody else’s', async () => {
    const rig = await Rig.of({ format: 'snapshot' });
    rig.world.api.create('author', volumeSnapshots, {
      metadata: own(nameOf(1)),
      spec: { source: { persistentVolumeClaimName: 'own' } },
      status: { readyToUse: true },
    });
    rig.create();
    await rig.rounds();
    expect(rig.standsFor).to.equal(undefined);
    expect(rig.condition('UpToDate')).to.include({ status: 'False', reason: 'ErrResourceExists' });
  });
});
