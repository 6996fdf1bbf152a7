import { expect } from 'chai';
import { dataSources } from '../../src/api/data-source.ts';
import { type DataVolume, dataVolumes, type DataVolumeSpec } from '../../src/api/data-volume.ts';
import { volumeCloneSources } from '../../src/api/volume-clone-source.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims, pods } from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { volumeSnapshots } from '../../src/kube/snapshot-resources.ts';
import { temporaryClaimName } from '../../src/protocol/object-names.ts';
import { conditionOf, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { eventually } from '../support/eventually.ts';
import { until } from '../support/until.ts';
import { podWithVolume, readVolume } from '../support/volume-content.ts';
import { webPath } from '../support/web-server.ts';
import { eventsOf } from './support/events.ts';
import { hasOwnDriver, ownClass } from './support/own-classes.ts';
import { useSuite } from './support/suite.ts';

const SNAPSHOT_GROUP = 'snapshot.storage.k8s.io';

describe('sources of clones', function () {
  this.timeout(240_000);
  const suite = useSuite();
  let golden: ObjectKey;
  let snapshot: ObjectKey;
  let other = '';

  before(async function () {
    if (!hasOwnDriver(suite)) this.skip();
    other = await suite.newNamespace();
    golden = suite.key('golden');
    snapshot = suite.key('snapshot');
    const url = `${suite.web.url}${webPath.plain}/${diskFile.qcow2}`;
    await suite.client.create(
      dataVolumes,
      dataVolume(golden, { http: { url } }, { storageClassName: suite.classes.csiClone }),
    );
    await untilSucceeded(suite.client, golden, 240_000);
    await takeSnapshot(snapshot);
  });

  async function takeSnapshot(key: ObjectKey) {
    const source = { persistentVolumeClaimName: golden.name };
    await suite.client.create(volumeSnapshots, { metadata: { ...key }, spec: { source } });
    await until(suite.client, volumeSnapshots, key, 'it is ready', (found) => found?.status?.readyToUse);
  }

  const clone = (key: ObjectKey, source: DataVolumeSpec['source'], options: Parameters<typeof dataVolume>[2] = {}) =>
    suite.client.create(dataVolumes, dataVolume(key, source, { storageClassName: suite.classes.csiClone, ...options }));
  const cloneOf = (key: ObjectKey, spec: Partial<DataVolumeSpec>): Promise<DataVolume> =>
    suite.client.create(dataVolumes, {
      apiVersion: 'cdi.kubevirt.io/v1beta1',
      kind: 'DataVolume',
      metadata: { ...key },
      spec: { storage: { storageClassName: suite.classes.csiClone }, ...spec },
    });
  const untilReason = (key: ObjectKey, reason: string) =>
    until(suite.client, dataVolumes, key, `it says ${reason}`, (object) => {
      const running = conditionOf(object, 'Running');
      return running?.reason === reason ? running : undefined;
    });
  /** Until then its source may still be refused to the provisioner, because it is being deleted. */
  const untilProvisioning = async (key: ObjectKey) => {
    const target = await suite.client.get(persistentVolumeClaims, key);
    const working = { namespace: suite.namespace, name: temporaryClaimName(target?.metadata?.uid ?? '') };
    await eventually('the provisioner is at work', async () => {
      const claim = await suite.client.get(persistentVolumeClaims, working);
      const told = claim ? await eventsOf(suite.client, claim) : [];
      return told.some(({ reason }) => reason === 'Provisioning');
    });
  };
  const expectContent = async (key: ObjectKey) => {
    const content = await readVolume(suite, key, suite.disk.virtualSize);
    expect(content.sha256).to.equal(suite.disk.sha256);
  };

  it('says how it is made', async () => {
    const key = { namespace: other, name: 'planned' };
    await clone(key, { pvc: golden }, { size: '400Mi' });
    const told = await eventsOf(suite.client, await untilSucceeded(suite.client, key));
    const plan = `csi-clone, then expand to 400 MiB, then rebind into ${other}`;
    // The second message is that of a clone that was over within a moment.
    const message = told.find(({ reason }) => reason === 'CloneScheduled' || reason === 'CloneSucceeded')?.message;
    expect(message).to.match(/^Clone into planned: |^Successfully cloned from /);
    expect(message?.endsWith(`: ${plan}`)).to.equal(true);
  });

  describe('named by a DataSource', () => {
    const dataSource = (name: string, source: object) =>
      suite.client.create(dataSources, {
        apiVersion: 'cdi.kubevirt.io/v1beta1',
        kind: 'DataSource',
        metadata: suite.key(name),
        spec: { source },
      });
    const untilReady = (name: string, status: 'True' | 'False') =>
      until(suite.client, dataSources, suite.key(name), `its condition Ready is ${status}`, (found) => {
        const ready = found?.status?.conditions?.find(({ type }) => type === 'Ready');
        return ready?.status === status ? { ready, source: found?.status?.source } : undefined;
      });

    it('are cloned into another namespace, through a DataSource that refers to another, as large as they are', async () => {
      await dataSource('image', { pvc: golden });
      await dataSource('latest', { dataSource: suite.key('image') });
      expect((await untilReady('latest', 'True')).source).to.deep.equal({ pvc: golden });
      const key = { namespace: other, name: 'of-data-source' };
      await cloneOf(key, { sourceRef: { kind: 'DataSource', ...suite.key('latest') } });
      await untilSucceeded(suite.client, key);
      const claim = await suite.client.get(persistentVolumeClaims, key);
      expect(claim?.metadata?.annotations?.['cdi.kubevirt.io/cloneType']).to.equal('csi-clone');
      expect(claim?.spec?.resources?.requests?.['storage']).to.equal('200Mi');
      await expectContent(key);
    });

    it('are waited for, and cloned when the DataSource stands for something', async () => {
      const key = { namespace: other, name: 'of-later-data-source' };
      await cloneOf(key, { sourceRef: { kind: 'DataSource', ...suite.key('later') } });
      expect((await untilReason(key, 'NotFound')).message).to.match(/DataSource .*\/later does not exist/);
      await dataSource('later', {});
      expect((await untilReady('later', 'False')).ready.reason).to.equal('NoSource');
      expect((await untilReason(key, 'CloneWithoutSource')).message).to.match(/names nothing to clone yet/);
      const spec = { source: { snapshot } };
      await suite.client.mergePatch(dataSources, suite.key('later'), { spec });
      await untilSucceeded(suite.client, key);
    });
  });

  describe('that are snapshots', () => {
    it('are restored and copied where the volume mode differs', async () => {
      const key = { namespace: other, name: 'block-of-snapshot' };
      await clone(key, { snapshot }, { volumeMode: 'Block' });
      const told = await eventsOf(suite.client, await untilSucceeded(suite.client, key));
      expect(told.map(({ reason }) => reason)).to.include('IncompatibleVolumeModes');
      await expectContent(key);
    });

    it('are refused where they do not fit', async () => {
      const key = { namespace: other, name: 'too-small-for-snapshot' };
      await clone(key, { snapshot }, { size: '100Mi' });
      const { message } = await untilReason(key, 'CloneValidationFailed');
      expect(message).to.match(
        /requests 100 MiB .*, less than the 200 MiB .* of the claim that its snapshot was taken of/,
      );
    });

    it('fill a bare claim that names a VolumeCloneSource', async () => {
      const key = suite.key('bare-of-snapshot');
      await suite.client.create(volumeCloneSources, {
        apiVersion: 'cdi.kubevirt.io/v1beta1',
        kind: 'VolumeCloneSource',
        metadata: key,
        spec: { source: { apiGroup: SNAPSHOT_GROUP, kind: 'VolumeSnapshot', name: snapshot.name } },
      });
      const claim: PersistentVolumeClaim = {
        metadata: { ...key },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: suite.classes.standard,
          resources: { requests: { storage: '200Mi' } },
          dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeCloneSource', name: key.name },
        },
      };
      await suite.client.create(persistentVolumeClaims, claim);
      await until(
        suite.client,
        persistentVolumeClaims,
        key,
        'it is bound',
        (found) => found?.status?.phase === 'Bound',
      );
      await expectContent(key);
    });

    it('may go once they are being restored', async () => {
      const storageClassName = await ownClass(suite, 'diskpress-slow', { delaySeconds: '3' }, 'csi-clone');
      const going = suite.key('going');
      await takeSnapshot(going);
      const key = { namespace: other, name: 'of-going-snapshot' };
      await clone(key, { snapshot: going }, { storageClassName });
      await untilReason(key, 'SnapshotClone');
      await untilProvisioning(key);
      await until(suite.client, volumeSnapshots, going, 'the provisioner protects it', (found) =>
        found?.metadata?.finalizers?.includes('provisioner.storage.kubernetes.io/volumesnapshot-as-source-protection'),
      );
      await suite.client.delete(volumeSnapshots, going);
      await untilSucceeded(suite.client, key);
      await until(suite.client, volumeSnapshots, going, 'it is gone', (found) => found === undefined);
      await expectContent(key);
    });
  });

  it('may go once the driver clones them', async () => {
    const storageClassName = await ownClass(suite, 'diskpress-slow', { delaySeconds: '3' }, 'csi-clone');
    const going = suite.key('going-claim');
    await clone(going, { pvc: golden });
    await untilSucceeded(suite.client, going);
    const key = { namespace: other, name: 'of-going-claim' };
    await clone(key, { pvc: going }, { storageClassName });
    await untilReason(key, 'CSIClone');
    await untilProvisioning(key);
    await until(suite.client, persistentVolumeClaims, going, 'the provisioner protects it', (found) =>
      found?.metadata?.finalizers?.includes('provisioner.storage.kubernetes.io/cloning-protection'),
    );
    await suite.client.delete(dataVolumes, going);
    await untilSucceeded(suite.client, key);
    await until(suite.client, persistentVolumeClaims, going, 'it is gone', (found) => found === undefined);
    await expectContent(key);
  });

  it('may be read by pods meanwhile', async () => {
    const reader = suite.key('reader');
    const options = { claim: golden.name, block: false, command: ['sleep', '600'] };
    await suite.client.create(pods, podWithVolume(suite, reader, options));
    await until(suite.client, pods, reader, 'it runs', (pod) => pod?.status?.phase === 'Running');
    const key = suite.key('of-read-source');
    await clone(key, { pvc: golden });
    await untilSucceeded(suite.client, key);
    await suite.client.delete(pods, reader);
  });

  it('are waited for as long as their own DataVolume is not complete, and as long as they do not exist', async () => {
    const source = suite.key('unfinished');
    const key = suite.key('of-unfinished');
    const elsewhere = { namespace: other, name: 'of-unfinished' };
    for (const each of [key, elsewhere]) {
      await clone(each, { pvc: source });
      expect((await untilReason(each, 'CloneWithoutSource')).message).to.match(/"unfinished" does not exist in names/);
    }
    const url = `${suite.web.url}${webPath.plain}/no-such-disk`;
    await clone(source, { http: { url } });
    for (const each of [key, elsewhere])
      expect((await untilReason(each, 'SourceNotReady')).message).to.match(/unfinished (is not complete|has failed)/);
    await suite.client.delete(dataVolumes, source);
    await until(suite.client, persistentVolumeClaims, source, 'it is gone', (found) => found === undefined);
    await clone(source, { pvc: golden });
    await untilSucceeded(suite.client, key);
    // In another namespace nobody knows whether whoever made it anew would have granted it.
    expect((await untilReason(elsewhere, 'SourceReplaced')).message).to.match(/make the DataVolume anew/);
    await until(suite.client, dataVolumes, elsewhere, 'it has failed', (found) => found?.status?.phase === 'Failed');
  });
});
