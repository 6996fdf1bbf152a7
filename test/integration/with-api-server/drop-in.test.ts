import { expect } from 'chai';
import { request } from 'undici';
import { cdis } from '../../../src/api/cdi.ts';
import { cdiConfigs } from '../../../src/api/cdi-config.ts';
import { cloneGrants } from '../../../src/api/clone-grant.ts';
import { dataSources } from '../../../src/api/data-source.ts';
import { type DataVolume, dataVolumes, type DataVolumeSpec } from '../../../src/api/data-volume.ts';
import { CDI_API_VERSION, CDI_GROUP } from '../../../src/api/group.ts';
import { storageProfiles } from '../../../src/api/storage-profile.ts';
import { volumeCloneSources } from '../../../src/api/volume-clone-source.ts';
import { addControllers } from '../../../src/controllers/manager.ts';
import { persistentVolumeClaims, persistentVolumes, storageClasses } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import { Manager } from '../../../src/kube/manager.ts';
import { createGoldenImage, goldenImageOf, install } from '../../bench/scale/api-with-storage.ts';
import { simulateStorage } from '../../bench/scale/simulated-storage.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { conditionOf, untilSucceeded } from '../../support/data-volumes.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLogger } from '../../support/logger.ts';
import { until } from '../../support/until.ts';

const OWN = 'clones';
const INSTANCETYPE = {
  'instancetype.kubevirt.io/default-instancetype': 'u1.small',
  'instancetype.kubevirt.io/default-preference': 'fedora',
};
const PRE_POPULATED = 'cdi.kubevirt.io/storage.prePopulated';
const POPULATED_FOR = 'cdi.kubevirt.io/storage.populatedFor';
const CLONE_TYPE = 'cdi.kubevirt.io/cloneType';

describe('what clients of the API rely on, in a real API server with simulated storage', function () {
  this.timeout(90_000);
  const ending = new AbortController();
  const golden = goldenImageOf('other-namespace');
  let server: ApiServer;
  let client: KubeClient;
  let running: Promise<unknown>;

  before(kubernetesIsBuilt);
  before(async function () {
    this.timeout(180_000);
    server = await startApiServer({});
    client = new KubeClient(server.kubeConfig());
    await install(server, client);
    const storage = new Manager({ kubeConfig: server.kubeConfig(), logger: silentLogger(), component: 'simulation' });
    simulateStorage(storage);
    const kubeConfig = server.kubeConfig({ token: server.controllersToken });
    const controllers = new Manager({ kubeConfig, logger: silentLogger(), port: 0, host: '127.0.0.1' });
    addControllers(controllers, { image: 'localhost/diskpress:none', namespace: 'cdi', version: 'test' });
    running = Promise.all([storage.run(ending.signal), controllers.run(ending.signal)]);
    for (const strategy of ['other-namespace', 'csi-clone'] as const) {
      await createGoldenImage(client, strategy);
      await until(client, persistentVolumeClaims, goldenImageOf(strategy), 'it is bound', (claim) => {
        return claim?.status?.phase === 'Bound';
      });
    }
    await eventually(
      'the controllers are ready',
      async () => {
        const { statusCode, body } = await request(`http://127.0.0.1:${controllers.port}/readyz`);
        await body.dump();
        return statusCode === 200;
      },
      60_000,
    );
  });
  after(async () => {
    ending.abort();
    await running;
    await client.close();
    await server.stop();
  });

  const pvc = {
    accessModes: ['ReadWriteOnce' as const],
    storageClassName: 'csi-clone',
    resources: { requests: { storage: '1Gi' } },
  };
  async function create(name: string, spec: DataVolumeSpec, metadata: DataVolume['metadata'] = {}): Promise<ObjectKey> {
    const key = { namespace: OWN, name };
    const identity = { apiVersion: CDI_API_VERSION, kind: 'DataVolume' } as const;
    await client.create(dataVolumes, { ...identity, metadata: { ...metadata, ...key }, spec });
    return key;
  }
  const createSource = (key: ObjectKey, source: object) =>
    client.create(dataSources, {
      apiVersion: CDI_API_VERSION,
      kind: 'DataSource',
      metadata: { ...key },
      spec: { source },
    });
  const claimOf = async (key: ObjectKey) => client.get(persistentVolumeClaims, key);

  describe('labels', () => {
    const image = { namespace: golden.namespace, name: 'fedora' };
    before(async () => {
      const labels = { ...INSTANCETYPE, 'os.template.kubevirt.io/fedora': 'true', team: 'images' };
      await client.mergePatch(persistentVolumeClaims, golden, { metadata: { labels } });
      await createSource(image, { pvc: golden });
    });

    it('of KubeVirt’s domains go from a claim to the DataSource that stands for it', async () => {
      const found = await until(client, dataSources, image, 'it has labels', (each) => each?.metadata.labels);
      expect(found).to.deep.equal({ ...INSTANCETYPE, 'os.template.kubevirt.io/fedora': 'true' });
    });

    for (const [what, source] of Object.entries({
      'a DataSource': { sourceRef: { kind: 'DataSource' as const, ...image } },
      'a claim': { source: { pvc: golden } },
    }))
      it(`of the default instance type go from ${what} to a clone’s DataVolume and claim`, async () => {
        const key = await create(`of-${what.replaceAll(' ', '-').toLowerCase()}`, { ...source, pvc });
        const { metadata } = await untilSucceeded(client, key);
        expect(metadata.labels).to.deep.equal(INSTANCETYPE);
        expect(metadata.annotations).to.include({ [CLONE_TYPE]: 'csi-clone' });
        expect((await claimOf(key))?.metadata?.labels).to.include({
          ...INSTANCETYPE,
          'alerts.k8s.io/KubePersistentVolumeFillingUp': 'disabled',
        });
      });

    it('of the default instance type that a user wrote stay, and alone', async () => {
      const labels = { 'instancetype.kubevirt.io/default-instancetype': 'u1.large' };
      const key = await create('with-own', { source: { pvc: golden }, pvc }, { labels });
      expect((await untilSucceeded(client, key)).metadata.labels).to.deep.equal(labels);
      const names = Object.keys((await claimOf(key))?.metadata?.labels ?? {});
      expect(names.filter((name) => name.startsWith('instancetype'))).to.deep.equal(Object.keys(labels));
    });
  });

  it('take an empty namespace of a reference for the object’s own', async () => {
    const own = { namespace: '', name: goldenImageOf('csi-clone').name };
    await createSource({ namespace: OWN, name: 'local' }, { pvc: own });
    await createSource({ namespace: OWN, name: 'further' }, { dataSource: { namespace: '', name: 'local' } });
    const bySource = await create('own-source', { source: { pvc: own }, pvc });
    const sourceRef = { kind: 'DataSource' as const, namespace: '', name: 'further' };
    const byReference = await create('own-reference', { sourceRef, pvc });
    for (const key of [bySource, byReference]) await untilSucceeded(client, key);
    const { status } = (await client.get(dataSources, { namespace: OWN, name: 'further' })) ?? {};
    expect(status?.source).to.deep.equal({ pvc: { ...own, namespace: OWN } });
  });

  describe('a DataVolume that is populated already', () => {
    it('makes and is granted nothing, and is Succeeded when its claim has come with its data', async () => {
      const annotations = { [PRE_POPULATED]: 'restored' };
      const key = await create('restored', { source: { pvc: golden }, pvc }, { annotations });
      const { metadata } = await until(client, dataVolumes, key, 'it waits', (found) => {
        return conditionOf(found, 'Running')?.message?.includes(PRE_POPULATED) ? found : undefined;
      });
      expect((await client.get(dataVolumes, key))?.status?.phase).to.equal('Pending');
      expect(await claimOf(key)).to.equal(undefined);
      expect(await client.get(cloneGrants, { namespace: '', name: metadata.uid ?? '' })).to.equal(undefined);
      expect((await client.list(volumeCloneSources)).map((each) => each.metadata.name)).to.not.include(
        `volume-clone-source-${metadata.uid}`,
      );

      await client.create(persistentVolumeClaims, {
        metadata: { ...key, annotations: { [POPULATED_FOR]: key.name } },
        spec: pvc,
      });
      expect((await untilSucceeded(client, key)).status?.progress).to.equal('N/A');
      expect((await claimOf(key))?.metadata?.ownerReferences).to.have.length(1);

      await client.delete(persistentVolumeClaims, key);
      await until(client, dataVolumes, key, 'it waits again', (found) => found?.status?.phase === 'Pending');
    });

    it('is marked as such where the claim was there first', async () => {
      const key = { namespace: OWN, name: 'first' };
      await client.create(persistentVolumeClaims, {
        metadata: { ...key, annotations: { [POPULATED_FOR]: key.name } },
        spec: pvc,
      });
      await create(key.name, { source: { blank: {} }, pvc });
      const { metadata } = await untilSucceeded(client, key);
      expect(metadata.annotations).to.include({ [PRE_POPULATED]: key.name });
    });
  });

  describe('a volume that is made by hand', () => {
    const volume = (name: string, storageClassName: string, more: object = {}) =>
      client.create(persistentVolumes, {
        metadata: { name },
        spec: {
          accessModes: ['ReadWriteMany'],
          capacity: { storage: '2Gi' },
          hostPath: { path: '/nowhere' },
          persistentVolumeReclaimPolicy: 'Retain',
          storageClassName,
          ...more,
        },
      });
    const source = { http: { url: 'http://server.example/disk.img' } };
    const annotations = { 'cdi.kubevirt.io/storage.checkStaticVolume': '' };

    it('and reserved for the claim is bound as it is, and nothing is written', async () => {
      const key = { namespace: OWN, name: 'kept' };
      await volume('precious', 'by-hand', { claimRef: key, capacity: { storage: '1Gi' } });
      await create(
        key.name,
        { source, storage: { storageClassName: 'by-hand', resources: { requests: { storage: '1Gi' } } } },
        { annotations },
      );
      const claim = await until(client, persistentVolumeClaims, key, 'it is there', (found) => found);
      expect(claim.spec).to.include({ volumeName: 'precious' }).and.to.not.have.any.keys('dataSource', 'dataSourceRef');
      expect(claim.spec?.accessModes).to.deep.equal(['ReadWriteMany']);
      expect(
        Object.keys(claim.metadata?.annotations ?? {}).filter((name) => name.includes('storage.import')),
      ).to.deep.equal([]);
      const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...key, uid: claim.metadata?.uid };
      await client.mergePatch(persistentVolumes, { namespace: '', name: 'precious' }, { spec: { claimRef } });
      await untilSucceeded(client, key);
    });

    it('and does not fit is waited for, in words', async () => {
      const key = { namespace: OWN, name: 'too-large' };
      await volume('small', 'by-hand', { claimRef: key });
      const storage = {
        storageClassName: 'by-hand',
        accessModes: ['ReadWriteMany' as const],
        resources: { requests: { storage: '3Gi' } },
      };
      await create(key.name, { source, storage }, { annotations });
      const message = await until(client, dataVolumes, key, 'it says so', (found) => {
        const running = conditionOf(found, 'Running');
        return running?.reason === 'ErrIncompatiblePVC' ? running.message : undefined;
      });
      expect(message).to.include('PersistentVolume "small" is reserved').and.to.include('2Gi');
      expect(await claimOf(key)).to.equal(undefined);
    });

    it('tells the modes of a class that is only a name, also when it comes later', async () => {
      const storage = { storageClassName: 'only-a-name', resources: { requests: { storage: '1Gi' } } };
      await volume('other', 'only-a-name', { claimRef: { namespace: OWN, name: 'other' } });
      const key = await create('named', { source, storage });
      const message = await until(client, dataVolumes, key, 'it waits', (found) => {
        const running = conditionOf(found, 'Running');
        return running?.reason === 'ErrClaimNotValid' ? running.message : undefined;
      });
      expect(message).to.include('make one').and.to.not.include('StorageProfile');
      await volume('free', 'only-a-name', { volumeMode: 'Block' });
      const { spec } = await until(client, persistentVolumeClaims, key, 'it is there', (found) => found);
      expect(spec).to.deep.include({ accessModes: ['ReadWriteMany'], volumeMode: 'Block' });
    });
  });

  it('clone in the way that the claim’s author wishes', async () => {
    const cloneSource = { namespace: OWN, name: 'wished' };
    await client.create(volumeCloneSources, {
      apiVersion: CDI_API_VERSION,
      kind: 'VolumeCloneSource',
      metadata: { ...cloneSource },
      spec: { source: { kind: 'PersistentVolumeClaim', name: goldenImageOf('csi-clone').name } },
    });
    await client.create(persistentVolumeClaims, {
      metadata: { ...cloneSource, annotations: { [CLONE_TYPE]: 'snapshot' } },
      spec: { ...pvc, dataSourceRef: { apiGroup: CDI_GROUP, kind: 'VolumeCloneSource', name: cloneSource.name } },
    });
    const { metadata } = await until(client, persistentVolumeClaims, cloneSource, 'it is cloned', (found) => {
      return found?.status?.phase === 'Bound' && found.metadata?.annotations?.['k8s.io/CloneOf'] ? found : undefined;
    });
    expect(metadata?.annotations).to.include({ [CLONE_TYPE]: 'snapshot' });
    expect(metadata?.annotations?.['cdi.kubevirt.io/clone.plan']).to.include('snapshot');
  });

  it('take the clone strategy from the StorageClass where the profile says none', async () => {
    const key = { namespace: '', name: 'annotated' };
    const annotations = { 'cdi.kubevirt.io/clone-strategy': 'copy' };
    await client.create(storageClasses, { metadata: { name: key.name, annotations }, provisioner: 'unknown.example' });
    const strategy = (expected: string) =>
      until(client, storageProfiles, key, `it is ${expected}`, (found) => found?.status?.cloneStrategy === expected);
    await strategy('copy');
    await client.mergePatch(storageProfiles, key, { spec: { cloneStrategy: 'csi-clone' } });
    await strategy('csi-clone');
  });

  it('take the last of some settings back, which nobody else has changed', async () => {
    const cdi = { namespace: '', name: 'cdi' };
    const config = { namespace: '', name: 'config' };
    const set = (overhead: string | null, memory: string | null) =>
      client.mergePatch(cdis, cdi, {
        spec: {
          config: {
            filesystemOverhead: { storageClass: { 'csi-clone': overhead } },
            podResourceRequirements: { limits: { memory } },
          },
        },
      });
    const untilInEffect = (overhead: string) =>
      until(client, cdiConfigs, config, `the overhead is ${overhead}`, (found) => {
        return found?.status?.filesystemOverhead?.storageClass?.['csi-clone'] === overhead ? found : undefined;
      });
    await set('0.3', '2Gi');
    await untilInEffect('0.3');
    await set(null, null);
    const { spec } = await untilInEffect('0.06');
    expect(spec.filesystemOverhead?.storageClass ?? {}).to.deep.equal({});
    expect(spec.podResourceRequirements?.limits ?? {}).to.deep.equal({});
    await set('0.2', '1Gi');
    await untilInEffect('0.2');
    await set(null, null);
    await untilInEffect('0.06');
  });

  it('take a part of the settings back when it is taken out of the CDI object', async () => {
    const cdi = { namespace: '', name: 'cdi' };
    const config = { namespace: '', name: 'config' };
    const before = {
      importProxy: { HTTPProxy: 'http://proxy.example:80', HTTPSProxy: 'http://proxy.example:443' },
      scratchSpaceStorageClass: 'snapshot',
      filesystemOverhead: { storageClass: { snapshot: '0.1', 'csi-clone': '0.2' } },
      podResourceRequirements: { limits: { cpu: '2', memory: '1Gi' } },
    };
    await client.mergePatch(cdis, cdi, { spec: { config: before } });
    await until(client, cdiConfigs, config, 'all is told', (found) => {
      return found?.status?.scratchSpaceStorageClass === 'snapshot' && found.status.importProxy?.HTTPSProxy;
    });
    const removed = {
      importProxy: { HTTPSProxy: null },
      scratchSpaceStorageClass: null,
      filesystemOverhead: { storageClass: { snapshot: null } },
      podResourceRequirements: { limits: { cpu: null } },
    };
    await client.mergePatch(cdis, cdi, { spec: { config: removed } });
    const { spec, status } = await until(client, cdiConfigs, config, 'it is taken back', (found) => {
      const isBack = !found?.status?.scratchSpaceStorageClass && !found?.status?.importProxy?.HTTPSProxy;
      return isBack ? found : undefined;
    });
    const importProxy = { HTTPProxy: before.importProxy.HTTPProxy };
    expect(spec.importProxy).to.deep.equal(importProxy);
    expect(status?.importProxy).to.deep.equal(importProxy);
    expect(spec).to.not.have.property('scratchSpaceStorageClass');
    expect(spec.filesystemOverhead).to.deep.equal({ storageClass: { 'csi-clone': '0.2' } });
    expect(spec.podResourceRequirements).to.deep.equal({ limits: { memory: '1Gi' } });
    expect(status?.filesystemOverhead?.storageClass).to.include({ snapshot: '0.06', 'csi-clone': '0.2' });
    expect(spec.featureGates).to.deep.equal(['HonorWaitForFirstConsumer']);
  });

  it('tell no class for scratch space that is not there', async () => {
    await client.mergePatch(
      cdis,
      { namespace: '', name: 'cdi' },
      { spec: { config: { scratchSpaceStorageClass: 'none' } } },
    );
    const { status } = await until(client, cdiConfigs, { namespace: '', name: 'config' }, 'it is read', (found) => {
      return found?.spec.scratchSpaceStorageClass === 'none' ? found : undefined;
    });
    expect(status).to.not.have.property('scratchSpaceStorageClass');
  });
});
