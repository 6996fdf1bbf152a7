import { expect } from 'chai';
import { cdis } from '../../src/api/cdi.ts';
import { cdiConfigs } from '../../src/api/cdi-config.ts';
import { dataVolumes, type DataVolumeSpec } from '../../src/api/data-volume.ts';
import { CDI_NAME } from '../../src/controllers/runtime/config-view.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { volumeSnapshots } from '../../src/kube/snapshot-resources.ts';
import { conditionOf, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { SecondStorage } from '../support/second-storage.ts';
import { until } from '../support/until.ts';
import { hasOwnDriver } from './support/own-classes.ts';
import { DISK_END, SizedImages } from './support/sized-images.ts';
import { Started } from './support/started.ts';
import { useSuite } from './support/suite.ts';
import { runInVolume } from './support/volumes.ts';

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;

interface Kind {
  readonly name: string;
  readonly className: string;
  readonly volumeMode: 'Filesystem' | 'Block';
  readonly parameters: Readonly<Record<string, string>>;
}

/** Every kind of volume that the test driver can make. */
const kinds: readonly Kind[] = [
  {
    name: 'ext4',
    className: 'sizes-ext4',
    volumeMode: 'Filesystem',
    parameters: { enforceSize: 'true', 'csi.storage.k8s.io/fstype': 'ext4' },
  },
  { name: 'XFS', className: 'sizes-xfs', volumeMode: 'Filesystem', parameters: { enforceSize: 'true' } },
  { name: 'a folder with a quota', className: 'sizes-quota', volumeMode: 'Filesystem', parameters: { quota: 'true' } },
  { name: 'a folder', className: 'sizes-folder', volumeMode: 'Filesystem', parameters: {} },
  { name: 'a device', className: 'sizes-device', volumeMode: 'Block', parameters: {} },
];

/** Bytes: below it, the journal and tables of a filesystem are more than the default overhead. */
const SIZE = 2 * GIBIBYTE;
/** A multiple of nothing. */
const ODD_SIZE = SIZE + 1_000_001;

/** The class of the same volumes, into which clones are copied: between kinds the driver has no other way. */
const copyClassOf = (className: string) => `${className}-copy`;

/** What a claim holds. */
interface Content {
  /** Of the disk image or the device, in bytes. */
  readonly size: number;
  /** Of the first bytes, where the suite's disk is. */
  readonly sha256: string;
  /** What is before the end of the disk that was asked for. */
  readonly end: string;
}

describe('a disk of the size that was asked for', function () {
  this.timeout(600_000);
  const suite = useSuite();
  const finished = new Started<Content>();
  let storage: SecondStorage | undefined;
  let images: SizedImages | undefined;

  const keyOf = (title: string): ObjectKey => suite.key(title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'));

  before(async function () {
    if (!hasOwnDriver(suite)) this.skip();
    storage = await SecondStorage.start(suite, 'sizes');
    images = await SizedImages.start(suite);
    const [raw, qcow2] = [await images.make(ODD_SIZE, 'raw'), await images.make(SIZE, 'qcow2')];
    for (const { className, parameters } of kinds) {
      await storage.addClass(className, { parameters });
      await storage.addClass(copyClassOf(className), { parameters, cloneStrategy: 'copy' });
    }
    for (const kind of kinds) {
      const { name } = kind;
      start(`${name}: blank`, kind, { blank: {} }, SIZE);
      start(`${name}: qcow2`, kind, { http: { url: qcow2 } }, SIZE);
      start(`${name}: raw`, kind, { http: { url: raw } }, ODD_SIZE);
    }
    for (const [index, kind] of kinds.entries()) {
      const { name } = kind;
      const other = kinds[(index + 1) % kinds.length] as Kind;
      const source = async () => {
        await finished.outcome(`${name}: qcow2`);
        return { pvc: keyOf(`${name}: qcow2`) };
      };
      start(`${name}: cloned`, kind, source, SIZE);
      start(`${name}: copied to ${other.name}`, { ...other, className: copyClassOf(other.className) }, source, SIZE);
      start(`${name}: restored`, kind, async () => snapshotOf((await source()).pvc), SIZE);
    }
  });

  after(async () => {
    const made = await suite.client.list(dataVolumes, { namespace: suite.namespace });
    await Promise.all(made.map(({ metadata }) => suite.client.delete(dataVolumes, suite.key(metadata.name ?? ''))));
    await images?.stop();
    await storage?.stop();
  });

  for (const { name, volumeMode } of kinds) {
    describe(`on ${name}`, () => {
      it('is there when it is blank', async () => {
        expect((await finished.outcome(`${name}: blank`)).size).to.equal(SIZE);
      });
      for (const [way, size] of [
        ['qcow2', SIZE],
        ['raw', ODD_SIZE],
        ['cloned', SIZE],
        ['restored', SIZE],
      ] as const) {
        it(`is there when it is ${way}, with all of its content`, async () => {
          const content = await finished.outcome(`${name}: ${way}`);
          expectDisk(content, size);
          expect(content.size).to.be.below(size + (volumeMode === 'Block' ? 4096 : MEBIBYTE));
        });
      }
    });
  }

  for (const [index, { name }] of kinds.entries()) {
    const other = kinds[(index + 1) % kinds.length] as Kind;
    it(`is there when it is copied from ${name} to ${other.name}`, async () => {
      expectDisk(await finished.outcome(`${name}: copied to ${other.name}`), SIZE);
    });
  }

  it('is refused where the filesystem itself takes more than the overhead, and told so', async () => {
    const key = suite.key('too-small-for-ext4');
    const url = await images?.make(GIBIBYTE, 'qcow2');
    await suite.client.create(
      dataVolumes,
      disk(key, { http: { url: url ?? '' } }, 'sizes-ext4', 'Filesystem', GIBIBYTE),
    );
    const failed = await until(suite.client, dataVolumes, key, 'it has failed', (object) => {
      return object?.status?.phase === 'Failed' ? object : undefined;
    });
    expect(conditionOf(failed, 'Running')?.reason).to.equal('ImageTooLarge');
    expect(conditionOf(failed, 'Running')?.message).to.match(/the file system itself has taken .* of the volume/);
  });

  it('is there in a claim that is as large as the disk, of a class without an overhead', async () => {
    const storageClass = { 'sizes-folder': '0' };
    await setOverheads(storageClass);
    try {
      const key = suite.key('without-overhead');
      const url = await images?.make(ODD_SIZE, 'raw');
      const options = { storageClassName: 'sizes-folder', size: String(ODD_SIZE) };
      await suite.client.create(dataVolumes, dataVolume(key, { http: { url: url ?? '' } }, options));
      await untilSucceeded(suite.client, key, 240_000);
      expectDisk(await contentOf(key, 'Filesystem', ODD_SIZE), ODD_SIZE);
    } finally {
      await setOverheads({ 'sizes-folder': null });
    }
  });

  it('is refused with both sizes in a claim that is only as large as the disk', async () => {
    const key = suite.key('no-room-for-overhead');
    const url = await images?.make(ODD_SIZE, 'raw');
    const options = { storageClassName: 'sizes-folder', size: String(ODD_SIZE) };
    await suite.client.create(dataVolumes, dataVolume(key, { http: { url: url ?? '' } }, options));
    const failed = await until(suite.client, dataVolumes, key, 'it has failed', (object) => {
      return object?.status?.phase === 'Failed' ? object : undefined;
    });
    const room = Math.floor(ODD_SIZE / 1.06);
    expect(conditionOf(failed, 'Running')?.message).to.include(`${ODD_SIZE} bytes`).and.to.include(`${room} bytes`);
  });

  it('is told as full, and not tried for ever, where a quota has no room for all of its data', async () => {
    const key = suite.key('over-quota');
    const size = 64 * MEBIBYTE;
    const url = await images?.makeFull(size);
    await setOverheads({ 'sizes-quota': '0' });
    try {
      const options = { storageClassName: 'sizes-quota', size: String(size) };
      await suite.client.create(dataVolumes, dataVolume(key, { http: { url: url ?? '' } }, options));
      const failed = await until(suite.client, dataVolumes, key, 'it has failed', (object) => {
        return object?.status?.phase === 'Failed' ? object : undefined;
      });
      expect(conditionOf(failed, 'Running')?.reason).to.equal('NoSpace');
    } finally {
      await setOverheads({ 'sizes-quota': null });
    }
  });

  function start(
    title: string,
    { className, volumeMode }: Kind,
    source: DataVolumeSpec['source'] | (() => Promise<DataVolumeSpec['source']>),
    bytes: number,
  ): void {
    finished.start(title, async () => {
      const key = keyOf(title);
      const resolved = typeof source === 'function' ? await source() : source;
      await suite.client.create(dataVolumes, disk(key, resolved, className, volumeMode, bytes));
      await untilSucceeded(suite.client, key, 480_000);
      return contentOf(key, volumeMode, bytes);
    });
  }

  /** A DataVolume that asks for a disk by `spec.storage`. */
  function disk(
    key: ObjectKey,
    source: DataVolumeSpec['source'],
    storageClassName: string,
    volumeMode: 'Filesystem' | 'Block',
    bytes: number,
  ) {
    return {
      apiVersion: 'cdi.kubevirt.io/v1beta1' as const,
      kind: 'DataVolume' as const,
      metadata: { ...key },
      spec: { source, storage: { storageClassName, volumeMode, resources: { requests: { storage: String(bytes) } } } },
    };
  }

  async function snapshotOf(claim: ObjectKey): Promise<DataVolumeSpec['source']> {
    await suite.client.create(volumeSnapshots, {
      metadata: { ...claim },
      spec: { source: { persistentVolumeClaimName: claim.name } },
    });
    await until(suite.client, volumeSnapshots, claim, 'it is ready', (snapshot) => snapshot?.status?.readyToUse);
    return { snapshot: claim };
  }

  /** @param bytes of the disk that was asked for */
  async function contentOf(claim: ObjectKey, volumeMode: 'Filesystem' | 'Block', bytes: number): Promise<Content> {
    const path = volumeMode === 'Block' ? '/dev/volume' : '/volume/disk.img';
    const size = volumeMode === 'Block' ? `blockdev --getsize64 ${path}` : `stat -c %s ${path}`;
    const text = `${size}
      head -c ${suite.disk.virtualSize} ${path} | sha256sum | cut -d' ' -f1
      tail -c +${bytes - DISK_END.length + 1} ${path} | head -c ${DISK_END.length} | tr '\\0' 0`;
    const [found, sha256 = '', end = ''] = (await runInVolume(suite, claim, { text, volumeMode })).split('\n');
    return { size: Number(found), sha256, end };
  }

  function expectDisk({ size, sha256, end }: Content, bytes: number): void {
    expect(size).to.be.at.least(bytes);
    expect(sha256).to.equal(suite.disk.sha256);
    expect(end).to.equal(DISK_END);
  }

  /** Sets the overheads of classes; null is the cluster's. */
  async function setOverheads(storageClass: Record<string, string | null>): Promise<void> {
    const spec = { config: { filesystemOverhead: { storageClass } } };
    await suite.client.mergePatch(cdis, { namespace: '', name: CDI_NAME }, { spec });
    const config = { namespace: '', name: 'config' };
    await until(suite.client, cdiConfigs, config, 'it has the overheads', (found) =>
      Object.entries(storageClass).every(([name, overhead]) => {
        const inEffect = found?.status?.filesystemOverhead?.storageClass?.[name];
        return overhead === null ? inEffect !== '0' : inEffect === overhead;
      }),
    );
  }
});
