import { expect } from 'chai';
import { dataVolumes, type DataVolumeSpec } from '../../src/api/data-volume.ts';
import { storageProfiles } from '../../src/api/storage-profile.ts';
import {
  persistentVolumeClaims,
  persistentVolumes,
  resourceQuotas,
  storageClasses,
} from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { type ClaimOptions, conditionOf, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { until } from '../support/until.ts';
import { webPath } from '../support/web-server.ts';
import { eventsOf } from './support/events.ts';
import { hasOwnDriver, ownClass } from './support/own-classes.ts';
import { useSuite } from './support/suite.ts';

describe('claims of DataVolumes', function () {
  this.timeout(180_000);
  const suite = useSuite();

  before(function () {
    if (!hasOwnDriver(suite)) this.skip();
  });

  const make = (key: ObjectKey, source: DataVolumeSpec['source'], options: ClaimOptions = {}) =>
    suite.client.create(dataVolumes, dataVolume(key, source, { storageClassName: suite.classes.standard, ...options }));
  const blank = async (name: string, storageClassName?: string): Promise<ObjectKey> => {
    const key = suite.key(name);
    await make(key, { blank: {} }, storageClassName === undefined ? {} : { storageClassName });
    await untilSucceeded(suite.client, key);
    return key;
  };
  const plainClaim = (key: ObjectKey) =>
    suite.client.create(persistentVolumeClaims, {
      metadata: { ...key },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: suite.classes.standard,
        resources: { requests: { storage: '200Mi' } },
      },
    });
  const untilReason = (key: ObjectKey, reason: string) =>
    until(suite.client, dataVolumes, key, `it says ${reason}`, (object) => {
      const running = conditionOf(object, 'Running');
      return running?.reason === reason ? running : undefined;
    });
  const cloneTypeOf = async (key: ObjectKey) => {
    const claim = await suite.client.get(persistentVolumeClaims, key);
    return claim?.metadata?.annotations?.['cdi.kubevirt.io/cloneType'];
  };

  it('wait for a claim of their name to go, and say so', async () => {
    const key = suite.key('in-the-way');
    await plainClaim(key);
    await make(key, { blank: {} });
    expect((await untilReason(key, 'ErrResourceExists')).message).to.match(/allowClaimAdoption/);
    await suite.client.delete(persistentVolumeClaims, key);
    await untilSucceeded(suite.client, key);
  });

  it('fail where Kubernetes binds them to a volume that was there, whatever is on it', async () => {
    const storageClassName = await ownClass(suite, 'diskpress-available', {}, 'copy');
    const volume = { namespace: '', name: 'available-before' };
    await suite.client.create(persistentVolumes, {
      metadata: { name: volume.name },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        hostPath: { path: '/tmp/available-before', type: 'DirectoryOrCreate' },
        persistentVolumeReclaimPolicy: 'Retain',
        storageClassName,
      },
    });
    try {
      await until(suite.client, persistentVolumes, volume, 'it is available', (found) => {
        return found?.status?.phase === 'Available';
      });
      const key = suite.key('bound-elsewhere');
      await make(key, { blank: {} }, { storageClassName });
      const failed = await until(suite.client, dataVolumes, key, 'it has failed', (object) => {
        return object?.status?.phase === 'Failed' && object;
      });
      const { reason, message } = conditionOf(failed, 'Running') ?? {};
      expect(reason).to.equal('ErrClaimNotValid');
      expect(message).to.include(`to volume "${volume.name}", which was available and fits it`);
      const reasons = (await eventsOf(suite.client, failed)).map(({ reason }) => reason);
      expect(reasons).to.not.include('ImportSucceeded');
      const uid = (await suite.client.get(persistentVolumeClaims, key))?.metadata?.uid;
      const working = { ...key, name: `prime-${uid}` };
      await until(suite.client, persistentVolumeClaims, working, 'it is gone', (claim) => claim === undefined);
      await suite.client.delete(dataVolumes, key);
      await until(suite.client, persistentVolumeClaims, key, 'it is gone', (claim) => claim === undefined);
      expect((await suite.client.get(persistentVolumes, volume))?.status?.phase).to.not.equal('Failed');
    } finally {
      await suite.client.delete(persistentVolumes, volume);
    }
  });

  it('take over a claim where that is asked for', async () => {
    const key = suite.key('adopted');
    await plainClaim(key);
    const found = await until(suite.client, persistentVolumeClaims, key, 'it is bound', (claim) =>
      claim?.status?.phase === 'Bound' ? claim : undefined,
    );
    await make(key, { blank: {} }, { annotations: { 'cdi.kubevirt.io/allowClaimAdoption': 'true' } });
    const object = await untilSucceeded(suite.client, key);
    const claim = await suite.client.get(persistentVolumeClaims, key);
    expect(claim?.metadata?.uid).to.equal(found.metadata?.uid);
    expect(claim?.metadata?.ownerReferences?.map(({ uid }) => uid)).to.deep.equal([object.metadata.uid]);
  });

  it('go on when the StorageProfile tells what was missing', async () => {
    const name = 'diskpress-untold';
    await ownClass(suite, name, {});
    const key = suite.key('untold');
    await suite.client.create(dataVolumes, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataVolume',
      metadata: key,
      spec: {
        source: { blank: {} },
        storage: { storageClassName: name, resources: { requests: { storage: '10Mi' } } },
      },
    });
    expect((await untilReason(key, 'ErrClaimNotValid')).message).to.match(
      /spec\.claimPropertySets.*"diskpress-untold"/,
    );
    const profile = { metadata: { name, annotations: { 'cdi.kubevirt.io/minimumSupportedPvcSize': '300Mi' } } };
    const claimPropertySets = [{ accessModes: ['ReadWriteOnce' as const], volumeMode: 'Block' as const }];
    await suite.client.mergePatch(
      storageProfiles,
      { namespace: '', name },
      { ...profile, spec: { claimPropertySets } },
    );
    await untilSucceeded(suite.client, key);
    const claim = await suite.client.get(persistentVolumeClaims, key);
    expect(claim?.spec).to.deep.include({ accessModes: ['ReadWriteOnce'], volumeMode: 'Block' });
    expect(claim?.spec?.resources?.requests?.['storage']).to.equal('300Mi');
    await suite.client.delete(storageClasses, { namespace: '', name });
  });

  const limit = async (namespace: string, hard: Record<string, string>): Promise<ObjectKey> => {
    const quota = { namespace, name: 'quota' };
    await suite.client.create(resourceQuotas, { metadata: { ...quota }, spec: { hard } });
    await until(suite.client, resourceQuotas, quota, 'it is counted', (found) => found?.status?.used);
    return quota;
  };
  const claimsIn = async (namespace: string) =>
    (await suite.client.list(persistentVolumeClaims, { namespace })).filter(
      ({ metadata }) => !metadata?.deletionTimestamp,
    );

  it('wait for room in the quota of their namespace, and say so', async () => {
    const key = { namespace: await suite.newNamespace(), name: 'over-quota' };
    const quota = await limit(key.namespace, { persistentvolumeclaims: '0' });
    await make(key, { blank: {} });
    expect((await untilReason(key, 'ErrExceededQuota')).message).to.match(/exceeded quota: quota.*free some/);
    await suite.client.delete(resourceQuotas, quota);
    await untilSucceeded(suite.client, key);
  });

  const tight: Record<string, Record<string, string>> = {
    'exactly one claim': { persistentvolumeclaims: '1' },
    'exactly its size': { 'requests.storage': '200Mi' },
    'exactly one claim of its class': { 'diskpress.storageclass.storage.k8s.io/persistentvolumeclaims': '1' },
  };
  for (const [what, hard] of Object.entries(tight)) {
    it(`are filled where the quota is ${what}: an import, and a clone from elsewhere`, async () => {
      const source = await blank(`source-of-${what.replaceAll(' ', '-')}`);
      const url = `${suite.web.url}${webPath.plain}/${diskFile.qcow2}`;
      for (const from of [{ http: { url } }, { pvc: source }]) {
        const key = { namespace: await suite.newNamespace(), name: 'just-fits' };
        await limit(key.namespace, hard);
        await make(key, from);
        await untilSucceeded(suite.client, key);
        expect(await claimsIn(key.namespace)).to.have.length(1);
      }
    });
  }

  it('are cloned by the driver itself where the quota has no room for a working claim', async () => {
    const namespace = await suite.newNamespace();
    const source = { namespace, name: 'source' };
    await make(source, { blank: {} });
    await untilSucceeded(suite.client, source);
    await limit(namespace, { persistentvolumeclaims: '2' });
    const key = { namespace, name: 'just-fits' };
    await make(key, { pvc: source });
    const told = await eventsOf(suite.client, await untilSucceeded(suite.client, key));
    expect(told.find(({ reason }) => reason === 'NoPopulator')?.message).to.match(/driver fills .*"quota".*no room/);
    const object = await suite.client.get(dataVolumes, key);
    expect(object?.metadata.annotations?.['cdi.kubevirt.io/cloneType']).to.equal('csi-clone');
  });

  it("are copied where the quota of their source's namespace has no room, and say why", async () => {
    const target = { namespace: await suite.newNamespace(), name: 'given' };
    const source = { namespace: await suite.newNamespace(), name: 'source' };
    await make(source, { blank: {} });
    await untilSucceeded(suite.client, source);
    await limit(source.namespace, { persistentvolumeclaims: '1' });
    await make(target, { pvc: source });
    const told = await eventsOf(suite.client, await untilSucceeded(suite.client, target));
    expect(told.find(({ reason }) => reason === 'NoPopulator')?.message).to.match(
      /host-assisted copy.*"quota".*no room/,
    );
    expect(await cloneTypeOf(target)).to.equal('copy');
  });

  it('tell why a clone does not grow, and leave nothing when they are deleted then', async () => {
    const storageClassName = await ownClass(suite, 'diskpress-stuck', { expansion: 'false' }, 'csi-clone');
    const source = await blank('source-of-stuck', storageClassName);
    const key = suite.key('stuck');
    await make(key, { pvc: source }, { storageClassName, size: '400Mi' });
    const { message } = await untilReason(key, 'VolumeResizeFailed');
    expect(message).to.match(/growing from 200 MiB to 400 MiB: .*its class has expansion/);
    const object = await suite.client.get(dataVolumes, key);
    const reasons = (await eventsOf(suite.client, object ?? {})).map(({ reason }) => reason);
    expect(reasons).to.include('VolumeResizeFailed');
    const claim = await suite.client.get(persistentVolumeClaims, key);
    await suite.client.delete(dataVolumes, key);
    const working = { namespace: key.namespace, name: `tmp-pvc-${claim?.metadata?.uid}` };
    await until(suite.client, persistentVolumeClaims, working, 'it is gone', (found) => found === undefined);
    await until(suite.client, persistentVolumeClaims, key, 'it is gone', (found) => found === undefined);
  });

  it('are copied where the class does not let them grow', async () => {
    const storageClassName = 'diskpress-no-expansion';
    const source = await blank('source-of-no-expansion', storageClassName);
    const key = suite.key('no-expansion');
    await make(key, { pvc: source }, { storageClassName, size: '400Mi' });
    const told = await eventsOf(suite.client, await untilSucceeded(suite.client, key));
    expect(told.map(({ reason }) => reason)).to.include('NoVolumeExpansion');
    expect(await cloneTypeOf(key)).to.equal('copy');
  });
});
