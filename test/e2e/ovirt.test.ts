import { join } from 'node:path';
import { expect } from 'chai';
import { dataVolumes } from '../../src/api/data-volume.ts';
import { configMaps, persistentVolumeClaims, type Pod, pods, secrets } from '../../src/kube/builtin-resources.ts';
import { killContainer } from '../cluster/index.ts';
import { dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { eventually } from '../support/eventually.ts';
import { ovirtLogin } from '../support/ovirt/engine.ts';
import { type Ovirt, startOvirt } from '../support/ovirt/ovirt.ts';
import { readVolume } from '../support/volume-content.ts';
import { useSuite } from './support/suite.ts';

const TIMEOUT = 240_000;
const DISK = 'd1000000-0000-4000-8000-000000000001';
const OPEN_TRANSFER = 'cdi.kubevirt.io/import.openTransfer';

describe('imports from oVirt', function () {
  this.timeout(2 * TIMEOUT);
  const suite = useSuite();
  let ovirt: Ovirt;

  before(async function () {
    // ovirt-imageio is installed on the first run.
    this.timeout(0);
    const { client, namespace, hostAddress: address, state, disk } = suite;
    ovirt = await startOvirt({ address, state });
    const layer = { id: 'a1000000-0000-4000-8000-000000000001', file: join(disk.folder, diskFile.qcow2) };
    ovirt.engine.addDisk({ id: DISK, layers: [layer] });
    const { user: accessKeyId, password: secretKey } = ovirtLogin;
    await client.create(secrets, { metadata: { namespace, name: 'engine' }, stringData: { accessKeyId, secretKey } });
    await client.create(configMaps, {
      metadata: { namespace, name: 'authority' },
      data: { 'ca.pem': ovirt.authority },
    });
  });

  after(() => ovirt.stop());

  const start = async (name: string, volumeMode: 'Filesystem' | 'Block'): Promise<void> => {
    const imageio = { url: ovirt.engine.url, diskId: DISK, secretRef: 'engine', certConfigMap: 'authority' };
    const options = { storageClassName: suite.classes.standard, volumeMode };
    await suite.client.create(dataVolumes, dataVolume(suite.key(name), { imageio }, options));
  };

  const expectDisk = async (name: string): Promise<void> => {
    await untilSucceeded(suite.client, suite.key(name), TIMEOUT);
    expect((await readVolume(suite, suite.key(name), suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
    expect(ovirt.transfers.open, 'transfers that were left open').to.deep.equal([]);
  };

  for (const volumeMode of ['Filesystem', 'Block'] as const) {
    it(`imports a disk into a ${volumeMode} volume`, async () => {
      const known = ovirt.transfers.all.length;
      const name = `whole-${volumeMode.toLowerCase()}`;
      await start(name, volumeMode);
      await expectDisk(name);
      expect([...ovirt.engine.sessions], 'sessions that were left').to.deep.equal([]);
      expect(ovirt.transfers.all.slice(known).map(({ phase }) => phase)).to.deep.equal(['finished_success']);
    });
  }

  it('ends the transfer of a pod that was killed', async function () {
    // The processes of another cluster are not ours to kill.
    if (suite.hostNames.length === 0) this.skip();
    const known = ovirt.transfers.all.length;
    ovirt.engine.initializingLooks = Infinity;
    await start('killed', 'Block');
    await eventually(
      'the transfer is noted on the claim',
      async () => {
        const claims = await suite.client.list(persistentVolumeClaims, { namespace: suite.namespace });
        const noted = claims.map(({ metadata }) => metadata?.annotations?.[OPEN_TRANSFER]);
        return noted.includes(ovirt.transfers.all[known]?.id ?? 'none');
      },
      TIMEOUT,
    );
    const running = (await suite.client.list(pods, { namespace: suite.namespace })).flatMap(containerOf);
    expect(await Promise.all(running.map(killContainer)), 'whether it was at work').to.deep.equal([true]);
    ovirt.engine.initializingLooks = 0;
    await expectDisk('killed');
    const phases = ovirt.transfers.all.slice(known).map(({ phase }) => phase);
    expect(phases).to.deep.equal(['finished_cleanup', 'finished_success']);
  });
});

function containerOf({ status }: Pod): string[] {
  return (status?.containerStatuses ?? []).flatMap(({ containerID, state }) =>
    state?.running === undefined || containerID === undefined ? [] : [containerID],
  );
}
