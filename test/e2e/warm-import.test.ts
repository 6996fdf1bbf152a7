import { join } from 'node:path';
import { expect } from 'chai';
import { dataVolumes } from '../../src/api/data-volume.ts';
import { configMaps, persistentVolumeClaims, secrets } from '../../src/kube/builtin-resources.ts';
import { dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { eventually } from '../support/eventually.ts';
import { ovirtLogin } from '../support/ovirt/engine.ts';
import { type Ovirt, startOvirt } from '../support/ovirt/ovirt.ts';
import { readVolume } from '../support/volume-content.ts';
import {
  expectStagesOver,
  killStageImporter,
  planStages,
  STAGE_TIMEOUT,
  untilPausedAfter,
} from './support/import-stages.ts';
import { useSuite } from './support/suite.ts';
import { tracesIn, untilNothingElse } from './support/traces.ts';
import { WarmDisk } from './support/warm-machine.ts';

const FINISHED = 'finished_success';
const OPEN_TRANSFER = 'cdi.kubevirt.io/import.openTransfer';

interface Way {
  readonly volumeMode: 'Filesystem' | 'Block';
  readonly annotations: Readonly<Record<string, string>>;
}

const ways: Record<string, Way> = {
  'a Filesystem volume through a working claim': { volumeMode: 'Filesystem', annotations: {} },
  'a Block volume through a working claim': { volumeMode: 'Block', annotations: {} },
  'a Filesystem volume that is written itself': {
    volumeMode: 'Filesystem',
    annotations: { 'cdi.kubevirt.io/storage.usePopulator': 'false' },
  },
};

describe('imports from oVirt in stages', function () {
  this.timeout(3 * STAGE_TIMEOUT);
  const suite = useSuite();
  let ovirt: Ovirt;

  before(async function () {
    // ovirt-imageio is installed on the first run.
    this.timeout(0);
    const { client, namespace, hostAddress: address, state } = suite;
    ovirt = await startOvirt({ address, state });
    const { user: accessKeyId, password: secretKey } = ovirtLogin;
    await client.create(secrets, { metadata: { namespace, name: 'engine' }, stringData: { accessKeyId, secretKey } });
    const data = { 'ca.pem': ovirt.authority };
    await client.create(configMaps, { metadata: { namespace, name: 'authority' }, data });
  });

  after(() => ovirt?.stop());

  /** Kills the importer while the engine makes it wait, and a claim tells of its transfer. */
  const killImporter = async (): Promise<void> => {
    const { client, namespace } = suite;
    await eventually(
      'the transfer is noted on the claim',
      async () => {
        const noted = (await client.list(persistentVolumeClaims, { namespace })).map(
          ({ metadata }) => metadata?.annotations?.[OPEN_TRANSFER],
        );
        return ovirt.transfers.open.some(({ id }) => noted.includes(id));
      },
      STAGE_TIMEOUT,
    );
    await killStageImporter(suite);
  };

  let count = 0;
  for (const [what, { volumeMode, annotations }] of Object.entries(ways)) {
    it(`fill ${what}, while the machine writes and an importer is killed`, async () => {
      const { client, namespace, classes, disk, state, key, hostNames } = suite;
      const name = `warm-${++count}`;
      const before = await tracesIn(client, [namespace]);
      const id = `d100000${count}-0000-4000-8000-000000000000`;
      const source = await WarmDisk.of(ovirt, id, join(disk.folder, diskFile.qcow2), state);
      const first = source.newest;
      await source.write('write -P 0xa5 1M 3M', 'write -z 40M 8M', 'write -P 0x11 127M 1M');

      const imageio = { url: ovirt.engine.url, diskId: id, secretRef: 'engine', certConfigMap: 'authority' };
      const made = dataVolume(key(name), { imageio }, { storageClassName: classes.standard, volumeMode, annotations });
      const checkpoints = [{ previous: '', current: first }];
      await client.create(dataVolumes, { ...made, spec: { ...made.spec, checkpoints } });
      await untilPausedAfter(suite, name, first);

      const second = source.newest;
      await source.write('write -P 0x5a 2M 64k', 'write -P 0x77 60M 5M');
      const { initializingLooks } = ovirt.engine;
      // The processes of another cluster are not ours to kill.
      const kills = hostNames.length > 0;
      if (kills) ovirt.engine.initializingLooks = Infinity;
      checkpoints.push({ previous: first, current: second });
      await planStages(suite, name, { checkpoints });
      if (kills) await killImporter();
      ovirt.engine.initializingLooks = initializingLooks;
      await untilPausedAfter(suite, name, second);

      checkpoints.push({ previous: second, current: source.newest });
      await planStages(suite, name, { checkpoints, finalCheckpoint: true });
      await untilSucceeded(client, key(name), STAGE_TIMEOUT);
      expect((await readVolume(suite, key(name), disk.virtualSize)).sha256).to.equal(await source.sha256());
      await expectStagesOver(suite, name);
      const transfers = ovirt.transfers.all.filter((transfer) => transfer.disk.id === id).map(({ phase }) => phase);
      expect(transfers).to.deep.equal([FINISHED, ...(kills ? ['finished_cleanup'] : []), FINISHED, FINISHED]);

      await client.delete(dataVolumes, key(name));
      await untilNothingElse(client, [namespace], before);
    });
  }

  it('leave nothing when they are deleted while they are paused', async () => {
    const { client, namespace, classes, disk, state, key } = suite;
    const before = await tracesIn(client, [namespace]);
    const id = 'd1000009-0000-4000-8000-000000000000';
    const source = await WarmDisk.of(ovirt, id, join(disk.folder, diskFile.qcow2), state);
    const imageio = { url: ovirt.engine.url, diskId: id, secretRef: 'engine', certConfigMap: 'authority' };
    const made = dataVolume(key('deleted'), { imageio }, { storageClassName: classes.standard });
    const checkpoints = [{ previous: '', current: source.newest }];
    await client.create(dataVolumes, { ...made, spec: { ...made.spec, checkpoints } });
    await untilPausedAfter(suite, 'deleted', source.newest);
    await client.delete(dataVolumes, key('deleted'));
    await untilNothingElse(client, [namespace], before);
  });
});
