import { expect } from 'chai';
import { cdis } from '../../src/api/cdi.ts';
import { cdiConfigs } from '../../src/api/cdi-config.ts';
import { dataVolumes } from '../../src/api/data-volume.ts';
import { storageProfiles } from '../../src/api/storage-profile.ts';
import { volumeImportSources } from '../../src/api/volume-import-source.ts';
import { persistentVolumeClaims, pods } from '../../src/kube/builtin-resources.ts';
import { conditionOf, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { containerDisk } from '../support/sources.ts';
import { until } from '../support/until.ts';
import { podWithVolume, readVolume } from '../support/volume-content.ts';
import { webPath } from '../support/web-server.ts';
import { eventsOf } from './support/events.ts';
import { useSuite } from './support/suite.ts';

describe('the API', () => {
  const suite = useSuite();
  const http = () => ({ http: { url: `${suite.web.url}${webPath.plain}/${diskFile.qcow2}` } });
  const slow = () => ({ http: { url: `${suite.web.url}${webPath.slow}/${diskFile.qcow2}` } });

  it('takes the published example of a registry import, and shows how it fares', async () => {
    const { client, kubectl, key } = suite;
    const example = key('example-import-dv');
    await kubectl.apply({
      apiVersion: 'cdi.kubevirt.io/v1alpha1',
      kind: 'DataVolume',
      metadata: example,
      spec: {
        source: { registry: { url: `docker://${suite.registry.host}/${containerDisk.gzip}` } },
        pvc: {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '10240Mi' } },
          storageClassName: suite.classes.standard,
        },
      },
    });
    const claim = await until(client, persistentVolumeClaims, example, 'it names its importer pod', (found) => {
      return found?.metadata?.annotations?.['cdi.kubevirt.io/storage.import.importPodName'];
    });
    expect(claim).to.match(/^importer-/);
    const object = await untilSucceeded(client, example);
    const described = await kubectl.run('describe', 'dv', example.name, '--namespace', example.namespace);
    expect(described).to.match(/ImportScheduled[\s\S]*ImportInProgress[\s\S]*ImportSucceeded/);
    const reasons = (await eventsOf(client, object))
      .filter(({ type }) => type === 'Normal')
      .map(({ reason }) => reason);
    expect(reasons).to.include.members(['Pending', 'ImportScheduled', 'ImportInProgress', 'Bound', 'ImportSucceeded']);
    const columns = await kubectl.run('get', 'dv', example.name, '--namespace', example.namespace);
    expect(columns).to.match(
      /^NAME +PHASE +PROGRESS +RESTARTS +AGE\nexample-import-dv +Succeeded +100\.0% +(0 +)?\d+\w+/,
    );
    expect((await client.get(persistentVolumeClaims, example))?.status?.phase).to.equal('Bound');
    expect((await readVolume(suite, example, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
  });

  it('tells in the conditions what is going on, with progress that moves', async () => {
    const { client, key } = suite;
    const name = key('progress');
    await client.create(dataVolumes, dataVolume(name, slow(), { storageClassName: suite.classes.standard }));
    const seen = new Set<string>();
    const running = await until(client, dataVolumes, name, 'it shows progress', (object) => {
      const progress = object?.status?.progress ?? '';
      if (/^\d+\.\d\d%$/.test(progress)) seen.add(progress);
      return seen.size >= 3 ? object : undefined;
    });
    expect(conditionOf(running, 'Running')).to.include({ status: 'True', reason: 'TransferRunning' });
    expect(conditionOf(running, 'Running')?.message).to.match(/MiB of .*MiB.*\/s/);
    expect(conditionOf(running, 'Bound')).to.include({ status: 'False' });
    expect(conditionOf(running, 'Ready')).to.include({ status: 'False' });
    const done = await untilSucceeded(client, name);
    expect(conditionOf(done, 'Running')).to.include({ status: 'False', reason: 'Completed' });
    expect(conditionOf(done, 'Bound')).to.include({ status: 'True' });
    expect(conditionOf(done, 'Ready')).to.include({ status: 'True' });
  });

  it('makes nothing for a WaitForFirstConsumer class before there is a consumer', async function () {
    const { client, key } = suite;
    const storageClassName = suite.classes.firstConsumer;
    if (!storageClassName) this.skip();
    const name = key('first-consumer');
    await client.create(dataVolumes, dataVolume(name, http(), { storageClassName }));
    const waiting = await until(client, dataVolumes, name, 'it waits', (object) =>
      object?.status?.phase === 'PendingPopulation' ? object : undefined,
    );
    expect(conditionOf(waiting, 'Running')?.reason).to.equal('WaitForFirstConsumer');
    const uid = (await client.get(persistentVolumeClaims, name))?.metadata?.uid;
    expect(await client.get(persistentVolumeClaims, key(`prime-${uid}`))).to.be.undefined;
    expect(await client.get(pods, key(`importer-prime-${uid}`))).to.be.undefined;
    const consumer = key('consumer');
    const options = { claim: name.name, block: false, command: ['sleep', '600'] };
    await client.create(pods, podWithVolume(suite, consumer, options));
    await untilSucceeded(client, name);
    await until(client, pods, consumer, 'it runs on the volume', (pod) => pod?.status?.phase === 'Running');
    await client.delete(pods, consumer, { gracePeriodSeconds: 0 });
    expect((await readVolume(suite, name, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
  });

  it('waits in WaitForFirstConsumer where the claim itself is written', async function () {
    const { client, key } = suite;
    const storageClassName = suite.classes.firstConsumer;
    if (!storageClassName) this.skip();
    const name = key('direct-first-consumer');
    const annotations = { 'cdi.kubevirt.io/storage.usePopulator': 'false' };
    await client.create(dataVolumes, dataVolume(name, http(), { storageClassName, annotations }));
    await until(client, dataVolumes, name, 'it waits', (object) => object?.status?.phase === 'WaitForFirstConsumer');
    expect((await client.get(persistentVolumeClaims, name))?.spec?.dataSourceRef).to.be.undefined;
    await client.delete(dataVolumes, name);
  });

  it('fills a bare claim that names a VolumeImportSource', async () => {
    const { client, key } = suite;
    await client.create(volumeImportSources, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'VolumeImportSource',
      metadata: key('import-source'),
      spec: { source: http() },
    });
    const name = key('bare-claim');
    await client.create(persistentVolumeClaims, {
      metadata: { ...name },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: suite.classes.standard,
        resources: { requests: { storage: '200Mi' } },
        dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeImportSource', name: 'import-source' },
      },
    });
    await until(client, persistentVolumeClaims, name, 'it is bound', (claim) => claim?.status?.phase === 'Bound');
    expect((await readVolume(suite, name, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
  });

  it('makes a claim for spec.storage from the StorageProfile, with room for the file system', async () => {
    const { client, key } = suite;
    const name = key('storage');
    await client.create(dataVolumes, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataVolume',
      metadata: name,
      spec: {
        source: http(),
        // As large as the disk: without the overhead added, it would not fit.
        storage: { resources: { requests: { storage: '128Mi' } }, storageClassName: suite.classes.csiClone },
      },
    });
    await untilSucceeded(client, name);
    const claim = await client.get(persistentVolumeClaims, name);
    expect(claim?.spec).to.deep.include({ accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem' });
    expect(claim?.spec?.resources?.requests?.['storage']).to.equal('136Mi');
  });

  it('refuses what cannot be meant, and says why', async () => {
    const { kubectl, key } = suite;
    const good = dataVolume(key('refused'), http(), { storageClassName: suite.classes.standard });
    const two = { ...good, spec: { ...good.spec, source: { ...http(), blank: {} } } };
    expect(await kubectl.refusal(two)).to.match(/exactly one of/);
    const misspelt = { ...good, spec: { ...good.spec, sorce: {} } };
    expect(await kubectl.refusal(misspelt)).to.match(/unknown field "spec\.sorce"/);
  });

  it('imports no file of the importer’s container while nobody has turned that on', async () => {
    const { client, key, classes } = suite;
    const name = key('file');
    const file = { path: 'golden/fedora.qcow2' };
    await client.create(dataVolumes, dataVolume(name, { file }, { storageClassName: classes.standard }));
    const failed = await until(client, dataVolumes, name, 'it has failed', (object) =>
      object?.status?.phase === 'Failed' ? object : undefined,
    );
    expect(conditionOf(failed, 'Running')).to.include({ reason: 'UnsupportedSource' });
    expect(conditionOf(failed, 'Running')?.message).to.include('the feature gate FileSource');
    await client.delete(dataVolumes, name);
  });

  it('refuses a change of the spec', async () => {
    const { client, kubectl, key } = suite;
    const object = dataVolume(key('immutable'), { blank: {} }, { storageClassName: suite.classes.standard });
    await client.create(dataVolumes, object);
    const changed = { ...object, spec: { ...object.spec, source: http() } };
    expect(await kubectl.refusal(changed)).to.match(/immutable/);
  });

  it('refuses a clone from another namespace by a user who may not read there', async () => {
    const { client, kubectl, key } = suite;
    const namespace = await suite.newNamespace();
    const user = 'jane';
    await kubectl.run('create', 'rolebinding', 'editor', '--clusterrole=edit', `--user=${user}`, '-n', namespace);
    const source = key('source-of-jane');
    const options = { storageClassName: suite.classes.standard };
    await client.create(dataVolumes, dataVolume(source, { blank: {} }, options));
    await untilSucceeded(client, source);
    const clone = dataVolume({ namespace, name: 'janes' }, { pvc: source }, options);
    expect(await kubectl.refusal(clone, { user })).to.contain(`may not clone from namespace "${suite.namespace}"`);
    const right = ['--verb=create', '--resource=datavolumes.cdi.kubevirt.io/source', '-n', suite.namespace];
    await kubectl.run('create', 'role', 'cloner', ...right);
    await kubectl.run('create', 'rolebinding', 'cloner', '--role=cloner', `--user=${user}`, '-n', suite.namespace);
    await kubectl.apply(clone, { user });
    await untilSucceeded(client, { namespace, name: 'janes' });
  });

  it('copies the configuration of the CDI object to CDIConfig', async () => {
    const { client } = suite;
    const key = { namespace: '', name: 'cdi' };
    const named = { namespace: '', name: 'config' };
    const original = (await client.get(cdis, key))?.spec.config?.filesystemOverhead;
    await client.mergePatch(cdis, key, { spec: { config: { filesystemOverhead: { global: '0.1' } } } });
    try {
      const status = await until(client, cdiConfigs, named, 'it has the new overhead', (config) =>
        config?.spec.filesystemOverhead?.global === '0.1' && config.status?.filesystemOverhead?.global === '0.1'
          ? config.status
          : undefined,
      );
      expect(status.filesystemOverhead?.storageClass?.[suite.classes.standard]).to.equal('0.1');
    } finally {
      await client.mergePatch(cdis, key, { spec: { config: { filesystemOverhead: original ?? null } } });
    }
    await until(client, cdiConfigs, named, 'it has the old overhead', (config) => {
      return config?.status?.filesystemOverhead?.global === (original?.global ?? '0.06');
    });
  });

  it('keeps a StorageProfile for every StorageClass', async () => {
    const { client, classes } = suite;
    for (const name of Object.values<string | undefined>({ ...classes })) {
      if (name === undefined) continue;
      const profile = await client.get(storageProfiles, { namespace: '', name });
      expect(profile?.status?.storageClass).to.equal(name);
    }
  });

  it('lets its pods run in a namespace that enforces the restricted Pod Security Standard', async () => {
    const { kubectl, namespace } = suite;
    const labels = await kubectl.run('get', 'namespace', namespace, '-o', 'jsonpath={.metadata.labels}');
    expect(JSON.parse(labels) as Record<string, string>).to.include({
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
  });
});
