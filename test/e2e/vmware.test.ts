import { join } from 'node:path';
import { expect } from 'chai';
import { dataVolumes } from '../../src/api/data-volume.ts';
import { configMaps, persistentVolumeClaims, secrets } from '../../src/kube/builtin-resources.ts';
import { conditionOf, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { until } from '../support/until.ts';
import { loadVddkImage } from '../support/vddk/init-image.ts';
import { Vcenter, VCENTER_DISK, VCENTER_PASSWORD, VCENTER_USER } from '../support/vddk/vcenter.ts';
import { readVolume } from '../support/volume-content.ts';
import { useSuite } from './support/suite.ts';

const TIMEOUT = 240_000;

describe('imports from VMware', function () {
  this.timeout(2 * TIMEOUT);
  const suite = useSuite();
  let vcenter: Vcenter;
  let initImageURL: string;

  before(async function () {
    // The image is for the nodes of this machine's cluster, and the simulator is compiled on the first run.
    if (suite.hostNames.length === 0) this.skip();
    this.timeout(0);
    const { client, namespace, hostAddress, state, disk } = suite;
    vcenter = await Vcenter.start(state, join(disk.folder, diskFile.raw), hostAddress);
    initImageURL = await loadVddkImage(vcenter.library.folder, state);
    const stringData = { accessKeyId: VCENTER_USER, secretKey: VCENTER_PASSWORD };
    await client.create(secrets, { metadata: { namespace, name: 'vcenter' }, stringData });
    await client.create(configMaps, {
      metadata: { namespace, name: 'options' },
      data: { 'vddk-config-file': 'VixDiskLib.nfcAio.Session.BufSizeIn64KB=16\n' },
    });
  });

  after(() => vcenter?.stop());

  const start = async (name: string, volumeMode: 'Filesystem' | 'Block', image?: string): Promise<void> => {
    const { url, instanceUuid: uuid, thumbprint } = vcenter.greeting;
    const vddk = { url, uuid, thumbprint, backingFile: VCENTER_DISK, secretRef: 'vcenter', extraArgs: 'options' };
    const source = { vddk: { ...vddk, ...(image === undefined ? {} : { initImageURL: image }) } };
    const options = { storageClassName: suite.classes.standard, volumeMode };
    await suite.client.create(dataVolumes, dataVolume(suite.key(name), source, options));
  };

  for (const volumeMode of ['Filesystem', 'Block'] as const)
    it(`imports a disk into a ${volumeMode} volume, with the library that an image brings`, async () => {
      const name = `vmware-${volumeMode.toLowerCase()}`;
      await start(name, volumeMode, initImageURL);
      await untilSucceeded(suite.client, suite.key(name), TIMEOUT);
      expect((await readVolume(suite, suite.key(name), suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
      const claim = await suite.client.get(persistentVolumeClaims, suite.key(name));
      expect(claim?.metadata?.annotations).to.include({
        'cdi.kubevirt.io/storage.pod.vddk.version': '8.0.3 build-23950268',
        'cdi.kubevirt.io/storage.pod.vddk.host': 'esx.test',
      });
      expect((await vcenter.calls('Login')).length, 'sessions').to.equal((await vcenter.calls('Logout')).length);
    });

  it('waits while nobody names an image with the library', async () => {
    await start('vmware-awaiting', 'Filesystem');
    await until(suite.client, dataVolumes, suite.key('vmware-awaiting'), 'it waits', (object) => {
      const bound = conditionOf(object, 'Bound');
      return bound?.reason === 'AwaitingVDDK' && bound.message?.includes('initImageURL');
    });
  });
});
