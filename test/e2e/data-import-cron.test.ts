import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { type DataImportCron, dataImportCrons } from '../../src/api/data-import-cron.ts';
import { dataSources, type DataSourceSource } from '../../src/api/data-source.ts';
import { dataVolumes, type DataVolumeSpec } from '../../src/api/data-volume.ts';
import { storageProfiles } from '../../src/api/storage-profile.ts';
import { persistentVolumeClaims } from '../../src/kube/builtin-resources.ts';
import { volumeSnapshots } from '../../src/kube/snapshot-resources.ts';
import { untilSucceeded } from '../support/data-volumes.ts';
import { eventually } from '../support/eventually.ts';
import { until } from '../support/until.ts';
import { readVolume } from '../support/volume-content.ts';
import { webPath } from '../support/web-server.ts';
import { hasOwnDriver, ownClass } from './support/own-classes.ts';
import { useSuite } from './support/suite.ts';

const TIMEOUT = 120_000;
const DISK_BYTES = 8 * 2 ** 20;

describe('a golden image that changes where it comes from', function () {
  this.timeout(TIMEOUT + 60_000);
  const suite = useSuite();
  let folder = '';

  before(async () => {
    folder = await mkdtemp(join(suite.disk.folder, 'golden-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const keep = async (
    name: string,
    source: DataVolumeSpec['source'],
    spec: Partial<DataImportCron['spec']>,
    storageClassName: string,
  ) => {
    const storage = { storageClassName, resources: { requests: { storage: '32Mi' } } };
    await suite.client.create(dataImportCrons, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataImportCron',
      metadata: { ...suite.key(name) },
      spec: {
        template: { spec: { source, storage } },
        schedule: '@every 6s',
        managedDataSource: name,
        importsToKeep: 1,
        ...spec,
      },
    });
  };
  /** Resolves when the DataSource can be cloned, and stands for something else than before. */
  const untilFresh = (name: string, before?: DataSourceSource) =>
    until(
      suite.client,
      dataSources,
      suite.key(name),
      'it stands for the newest image',
      (found) => {
        const source = found?.status?.source;
        const named = source?.pvc?.name ?? source?.snapshot?.name;
        const isNew = named !== undefined && named !== (before?.pvc?.name ?? before?.snapshot?.name);
        const ready = found?.status?.conditions?.find(({ type }) => type === 'Ready');
        return isNew && ready?.status === 'True' ? source : undefined;
      },
      TIMEOUT,
    );
  const untilGone = (resource: Parameters<typeof suite.client.get>[0], name: string) =>
    eventually(`${resource.kind} ${name} is gone`, async () => !(await suite.client.get(resource, suite.key(name))));
  const newDisk = async (path: string) => {
    const disk = randomBytes(DISK_BYTES);
    await writeFile(path, disk);
    return createHash('sha256').update(disk).digest('hex');
  };

  it('is imported anew from a registry, the old one goes, and all of it goes with the DataImportCron', async () => {
    const { client, key, registry, classes } = suite;
    const image = 'golden/changing:latest';
    const publish = async () => {
      const disk = join(folder, 'disk.img');
      const digest = await newDisk(disk);
      await registry.push({ name: image, disk, compression: 'gzip' });
      return digest;
    };
    const first = await publish();
    const source = { registry: { url: `docker://${registry.host}/${image}` } };
    await keep('from-registry', source, { retentionPolicy: 'None' }, classes.standard);
    const old = await untilFresh('from-registry');
    expect((await readVolume(suite, key(old.pvc?.name ?? ''), DISK_BYTES)).sha256).to.equal(first);
    const second = await publish();
    const fresh = await untilFresh('from-registry', old);
    expect((await readVolume(suite, key(fresh.pvc?.name ?? ''), DISK_BYTES)).sha256).to.equal(second);
    await untilGone(persistentVolumeClaims, old.pvc?.name ?? '');
    await client.delete(dataImportCrons, key('from-registry'));
    await untilGone(persistentVolumeClaims, fresh.pvc?.name ?? '');
    await untilGone(dataSources, 'from-registry');
  });

  it('is kept as a snapshot that a web server’s file is imported into, can be cloned, and outlives its DataImportCron', async function () {
    if (!hasOwnDriver(suite)) return this.skip();
    const { client, key, web } = suite;
    const name = await ownClass(suite, 'diskpress-golden', {});
    const claimPropertySets = [{ accessModes: ['ReadWriteOnce' as const], volumeMode: 'Filesystem' as const }];
    const spec = { dataImportCronSourceFormat: 'snapshot' as const, claimPropertySets };
    await client.mergePatch(storageProfiles, { namespace: '', name }, { spec });
    await until(
      client,
      storageProfiles,
      { namespace: '', name },
      'it says snapshot',
      (profile) => profile?.status?.dataImportCronSourceFormat === 'snapshot' && profile.status.claimPropertySets,
    );
    const path = join(folder, 'web.img');
    await newDisk(path);
    const url = `${web.url}${webPath.plain}/${path.slice(suite.disk.folder.length + 1)}`;
    await keep('from-web', { http: { url } }, {}, name);
    const old = await untilFresh('from-web');
    expect(old.snapshot, 'kept as a snapshot').to.not.equal(undefined);
    await untilGone(dataVolumes, old.snapshot?.name ?? '');
    const digest = await newDisk(path);
    const fresh = await untilFresh('from-web', old);
    await untilGone(volumeSnapshots, old.snapshot?.name ?? '');
    await client.delete(dataImportCrons, key('from-web'));
    await untilGone(dataImportCrons, 'from-web');
    await client.create(dataVolumes, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataVolume',
      metadata: { ...key('clone') },
      spec: { sourceRef: { kind: 'DataSource', name: 'from-web' }, storage: { storageClassName: name } },
    });
    await untilSucceeded(client, key('clone'), TIMEOUT);
    expect((await readVolume(suite, key('clone'), DISK_BYTES)).sha256).to.equal(digest);
    expect(await client.get(volumeSnapshots, key(fresh.snapshot?.name ?? ''))).to.not.equal(undefined);
  });
});
