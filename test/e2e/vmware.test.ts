import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { dataVolumes } from '../../src/api/data-volume.ts';
import { configMaps, persistentVolumeClaims, secrets } from '../../src/kube/builtin-resources.ts';
import { run } from '../cluster/commands.ts';
import { conditionOf, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { eventually } from '../support/eventually.ts';
import { until } from '../support/until.ts';
import { loadVddkImage } from '../support/vddk/init-image.ts';
import { Vcenter, VCENTER_DISK, VCENTER_PASSWORD, VCENTER_USER } from '../support/vddk/vcenter.ts';
import { readVolume } from '../support/volume-content.ts';
import { fileSha256 } from './support/file-sha256.ts';
import {
  expectStagesOver,
  killStageImporter,
  planStages,
  STAGE_TIMEOUT,
  untilPausedAfter,
} from './support/import-stages.ts';
import { useSuite } from './support/suite.ts';
import { tracesIn, untilNothingElse } from './support/traces.ts';

const MEBIBYTE = 2 ** 20;
/** The library is copied with its disks into each pod. */
const SIZE = 48 * MEBIBYTE;
const GROWN = 56 * MEBIBYTE;

interface Snapshot {
  readonly id: string;
  /** Of the disk in it. */
  readonly sha256: string;
}

describe('imports from VMware', function () {
  this.timeout(2 * STAGE_TIMEOUT);
  const suite = useSuite();
  let vcenter: Vcenter;
  let initImageURL: string;
  let sha256: string;
  const snapshots: Snapshot[] = [];

  /** Takes a snapshot, and says what the disk is in it. The machine then writes some of its MiB anew. */
  const snapshot = async (...places: readonly (readonly [offset: number, length: number])[]): Promise<void> => {
    const before = await vcenter.disk();
    const id = await vcenter.snapshot(`snapshot-${snapshots.length + 1}`);
    snapshots.push({ id, sha256: await fileSha256(before) });
    const script = 'dd if=/dev/urandom of="$0" bs=1M seek="$1" count="$2" conv=notrunc status=none';
    for (const [offset, length] of places)
      await run('sh', ['-c', script, await vcenter.disk(), `${offset}`, `${length}`]);
  };

  before(async function () {
    // The image is for the nodes of this machine's cluster, and the simulator is compiled on the first run.
    if (suite.hostNames.length === 0) this.skip();
    this.timeout(0);
    const { client, namespace, hostAddress, state, disk } = suite;
    const raw = join(state, 'vmware.img');
    await run('cp', ['--sparse=always', join(disk.folder, diskFile.raw), raw]);
    await run('truncate', ['-s', `${SIZE}`, raw]);
    sha256 = await fileSha256(raw);
    vcenter = await Vcenter.start(state, raw, hostAddress);
    await snapshot([3, 2], [20, 6]);
    const second = await vcenter.disk();
    await run('truncate', ['-s', `${GROWN}`, second]);
    await snapshot([1, 3], [50, 4]);
    const third = await vcenter.disk();
    await snapshot();
    // The library reads the snapshots alone.
    for (const file of [raw, second, third, await vcenter.disk()]) await rm(file);
    initImageURL = await loadVddkImage(vcenter.library.folder, state);
    const stringData = { accessKeyId: VCENTER_USER, secretKey: VCENTER_PASSWORD };
    await client.create(secrets, { metadata: { namespace, name: 'vcenter' }, stringData });
    await client.create(configMaps, {
      metadata: { namespace, name: 'options' },
      data: { 'vddk-config-file': 'VixDiskLib.nfcAio.Session.BufSizeIn64KB=16\n' },
    });
  });

  after(() => vcenter?.stop());

  const start = async (
    name: string,
    volumeMode: 'Filesystem' | 'Block',
    image: string | undefined,
    checkpoints?: { previous: string; current: string }[],
  ): Promise<void> => {
    const { url, instanceUuid: uuid, thumbprint } = vcenter.greeting;
    const vddk = { url, uuid, thumbprint, backingFile: VCENTER_DISK, secretRef: 'vcenter', extraArgs: 'options' };
    const source = { vddk: { ...vddk, ...(image === undefined ? {} : { initImageURL: image }) } };
    const options = { storageClassName: suite.classes.standard, volumeMode };
    const made = dataVolume(suite.key(name), source, options);
    await suite.client.create(dataVolumes, checkpoints ? { ...made, spec: { ...made.spec, checkpoints } } : made);
  };

  for (const volumeMode of ['Filesystem', 'Block'] as const)
    it(`imports a disk into a ${volumeMode} volume, with the library that an image brings`, async () => {
      const name = `vmware-${volumeMode.toLowerCase()}`;
      await start(name, volumeMode, initImageURL);
      await untilSucceeded(suite.client, suite.key(name), STAGE_TIMEOUT);
      expect((await readVolume(suite, suite.key(name), SIZE)).sha256).to.equal(sha256);
      const claim = await suite.client.get(persistentVolumeClaims, suite.key(name));
      expect(claim?.metadata?.annotations).to.include({
        'cdi.kubevirt.io/storage.pod.vddk.version': '8.0.3 build-23950268',
        'cdi.kubevirt.io/storage.pod.vddk.host': 'esx.test',
      });
      expect((await vcenter.calls('Login')).length, 'sessions').to.equal((await vcenter.calls('Logout')).length);
    });

  for (const volumeMode of ['Filesystem', 'Block'] as const)
    it(`fill a ${volumeMode} volume in stages, while the disk grows and an importer is killed`, async () => {
      const { client, key, namespace } = suite;
      const name = `vmware-warm-${volumeMode.toLowerCase()}`;
      const before = await tracesIn(client, [namespace]);
      const [first, second, third] = snapshots as [Snapshot, Snapshot, Snapshot];
      const checkpoints = [{ previous: '', current: first.id }];
      await start(name, volumeMode, initImageURL, checkpoints);
      await untilPausedAfter(suite, name, first.id);

      await vcenter.fail('QueryChangedDiskAreas', 'HostCommunication');
      const asked = (await vcenter.calls('QueryChangedDiskAreas')).length;
      checkpoints.push({ previous: first.id, current: second.id });
      await planStages(suite, name, { checkpoints });
      await eventually(
        'the vCenter is asked for changes',
        async () => (await vcenter.calls('QueryChangedDiskAreas')).length > asked,
        STAGE_TIMEOUT,
      );
      await killStageImporter(suite);
      await vcenter.reset();
      await untilPausedAfter(suite, name, second.id);

      checkpoints.push({ previous: second.id, current: third.id });
      await planStages(suite, name, { checkpoints, finalCheckpoint: true });
      await untilSucceeded(client, key(name), STAGE_TIMEOUT);
      expect(await readVolume(suite, key(name), GROWN)).to.include({ sha256: third.sha256, zerosAfter: true });
      await expectStagesOver(suite, name);
      await client.delete(dataVolumes, key(name));
      await untilNothingElse(client, [namespace], before);
    });

  it('waits while nobody names an image with the library', async () => {
    await start('vmware-awaiting', 'Filesystem', undefined);
    await until(suite.client, dataVolumes, suite.key('vmware-awaiting'), 'it waits', (object) => {
      const bound = conditionOf(object, 'Bound');
      return bound?.reason === 'AwaitingVDDK' && bound.message?.includes('initImageURL');
    });
  });
});
