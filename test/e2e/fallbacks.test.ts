import { expect } from 'chai';
import type { CloneFallbackReason } from '../../src/api/clone.ts';
import { type DataVolume, dataVolumes, type DataVolumeSpec } from '../../src/api/data-volume.ts';
import { storageProfiles } from '../../src/api/storage-profile.ts';
import { csiDrivers, persistentVolumeClaims, storageClasses } from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { volumeSnapshots } from '../../src/kube/snapshot-resources.ts';
import { type SecondDriver, startSecondDriver } from '../cluster/index.ts';
import { dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { untilDriverIsEmpty } from '../support/second-storage.ts';
import { until } from '../support/until.ts';
import { readVolume, type VolumeContent } from '../support/volume-content.ts';
import { webPath } from '../support/web-server.ts';
import { eventsOf } from './support/events.ts';
import { hasOwnDriver, ownClass } from './support/own-classes.ts';
import { Started } from './support/started.ts';
import { useSuite } from './support/suite.ts';

const SECOND_CLASS = 'of-a-second-driver';
const NOT_GROWING = 'not-growing';

interface Fallback {
  readonly from: 'a volume' | 'a snapshot' | 'a volume of the second driver';
  readonly storageClassName: string | undefined;
  readonly size?: string;
  readonly volumeMode?: 'Block';
  readonly reason: CloneFallbackReason;
  /** What the event tells. */
  readonly message: RegExp;
}

const fallbacks: Record<string, Fallback> = {
  'to a class of another CSI driver': {
    from: 'a volume',
    storageClassName: SECOND_CLASS,
    reason: 'IncompatibleProvisioners',
    message: /source is on csi\.diskpress\.test, the target on second\.csi\.diskpress\.test/,
  },
  'from another CSI driver': {
    from: 'a volume of the second driver',
    storageClassName: 'diskpress',
    reason: 'IncompatibleProvisioners',
    message: /source is on second\.csi\.diskpress\.test, the target on csi\.diskpress\.test/,
  },
  'from a snapshot to a class of another CSI driver': {
    from: 'a snapshot',
    storageClassName: SECOND_CLASS,
    reason: 'NoProvisionerMatch',
    message: /source is on csi\.diskpress\.test, the target on second\.csi\.diskpress\.test/,
  },
  'by snapshot where the driver has no snapshot class': {
    from: 'a volume of the second driver',
    storageClassName: SECOND_CLASS,
    reason: 'NoVolumeSnapshotClass',
    message: /no VolumeSnapshotClass of driver second\.csi\.diskpress\.test/,
  },
  'to a larger claim of a class that does not grow': {
    from: 'a volume',
    storageClassName: NOT_GROWING,
    size: '300Mi',
    reason: 'NoVolumeExpansion',
    message: /larger \(300 MiB\) than the source \(200 MiB\) and storage class not-growing does not allow/,
  },
  'from a snapshot to a Block volume': {
    from: 'a snapshot',
    storageClassName: 'diskpress',
    volumeMode: 'Block',
    reason: 'IncompatibleVolumeModes',
    message: /source is a Filesystem volume, the target a Block volume/,
  },
};

describe('clones that fall back to a copy', function () {
  this.timeout(300_000);
  const suite = useSuite();
  const sources = new Started<DataVolumeSpec['source']>();
  const finished = new Started<{ object: DataVolume; annotations: Record<string, string>; content: VolumeContent }>();
  let driver: SecondDriver | undefined;

  before(async function () {
    // Another cluster's nodes are not ours to start a driver on.
    if (!hasOwnDriver(suite)) this.skip();
    driver = await startSecondDriver();
    await makeClasses(driver.name);
    sources.start('a volume', () => importInto('first', suite.classes.csiClone));
    sources.start('a volume of the second driver', () => importInto('second', SECOND_CLASS));
    sources.start('a snapshot', takeSnapshot);
    for (const [title, fallback] of Object.entries(fallbacks)) finished.start(title, () => clone(title, fallback));
  });

  after(async () => {
    if (!driver) return;
    await untilDriverIsEmpty(suite.client, driver.name);
    for (const name of [SECOND_CLASS, NOT_GROWING]) await suite.client.delete(storageClasses, { namespace: '', name });
    await suite.client.delete(csiDrivers, { namespace: '', name: driver.name });
    await driver.stop();
  });

  for (const [title, { reason, message }] of Object.entries(fallbacks)) {
    it(`say why, and arrive: ${title}`, async () => {
      const { object, annotations, content } = await finished.outcome(title);
      expect(annotations['cdi.kubevirt.io/cloneType']).to.equal('copy');
      expect(annotations['cdi.kubevirt.io/cloneFallbackReason']).to.equal(reason);
      const told = (await eventsOf(suite.client, object)).find((event) => event.reason === reason);
      expect(told?.message).to.match(message);
      expect(told?.type).to.equal('Warning');
      expect(content.sha256).to.equal(suite.disk.sha256);
    });
  }

  async function makeClasses(provisioner: string): Promise<void> {
    const { client } = suite;
    await client.apply(
      csiDrivers,
      {
        metadata: { name: provisioner },
        spec: { attachRequired: false, podInfoOnMount: false, fsGroupPolicy: 'File' },
      },
      { fieldManager: 'diskpress-test' },
    );
    await client.create(storageClasses, { metadata: { name: SECOND_CLASS }, provisioner, allowVolumeExpansion: true });
    await until(client, storageProfiles, { namespace: '', name: SECOND_CLASS }, 'it is there', (profile) => profile);
    await ownClass(suite, NOT_GROWING, {}, 'csi-clone', { allowVolumeExpansion: false });
  }

  async function importInto(name: string, storageClassName: string | undefined) {
    const key = suite.key(`golden-${name}`);
    const url = `${suite.web.url}${webPath.plain}/${diskFile.qcow2}`;
    await suite.client.create(dataVolumes, dataVolume(key, { http: { url } }, { storageClassName }));
    await untilSucceeded(suite.client, key, 240_000);
    return { pvc: key };
  }

  async function takeSnapshot() {
    const source = await sources.outcome('a volume');
    const key = suite.key('golden-snapshot');
    await suite.client.create(volumeSnapshots, {
      metadata: { ...key },
      spec: { source: { persistentVolumeClaimName: source?.pvc?.name } },
    });
    await until(suite.client, volumeSnapshots, key, 'it is ready', (snapshot) => snapshot?.status?.readyToUse);
    return { snapshot: key };
  }

  async function clone(title: string, { from, storageClassName, size, volumeMode }: Fallback) {
    const { client } = suite;
    const source = await sources.outcome(from);
    const key: ObjectKey = suite.key(title.toLowerCase().replaceAll(' ', '-').slice(0, 50));
    await client.create(dataVolumes, dataVolume(key, source, { storageClassName, size, volumeMode }));
    const object = await untilSucceeded(client, key, 240_000);
    const claim = await client.get(persistentVolumeClaims, key);
    const content = await readVolume(suite, key, suite.disk.virtualSize);
    return { object, annotations: claim?.metadata?.annotations ?? {}, content };
  }
});
