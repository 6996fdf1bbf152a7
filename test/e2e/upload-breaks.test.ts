import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { persistentVolumeClaims, type Pod, pods } from '../../src/kube/builtin-resources.ts';
import { primeClaimName, uploadPodName } from '../../src/protocol/object-names.ts';
import { killContainer } from '../cluster/index.ts';
import { untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { productNamespace } from '../support/environment.ts';
import { readVolume } from '../support/volume-content.ts';
import { useSuite } from './support/suite.ts';
import { useUploadClients } from './support/upload-clients.ts';

const MEBIBYTE = 2 ** 20;

describe('an upload that breaks', function () {
  this.timeout(240_000);
  const suite = useSuite();
  const clients = useUploadClients(suite);
  const image = (name: string) => join(suite.disk.folder, name);
  const options = () => ['--storage-class', suite.classes.standard, '--size', '200Mi'];

  async function expectDisk(name: string): Promise<void> {
    await untilSucceeded(suite.client, suite.key(name));
    const content = await readVolume(suite, suite.key(name), suite.disk.virtualSize);
    expect(content.sha256).to.equal(suite.disk.sha256);
    expect(content.zerosAfter).to.be.true;
  }
  async function serverOf(name: string): Promise<Pod> {
    const claim = await suite.client.get(persistentVolumeClaims, suite.key(name));
    const pod = await suite.client.get(pods, suite.key(uploadPodName(primeClaimName(claim?.metadata?.uid ?? ''))));
    if (!pod) throw new Error(`${name} has no upload server`);
    return pod;
  }
  async function kill(pod: Pod): Promise<void> {
    const id = pod.status?.containerStatuses?.[0]?.containerID ?? '';
    expect(await killContainer(id), `whether ${pod.metadata?.name} was running`).to.be.true;
  }
  it('is continued by diskpress after Ctrl-C', async () => {
    const { held, release } = clients.port.holdAfter(60 * MEBIBYTE);
    const first = clients.diskpress(image(diskFile.raw), 'dv/interrupted', ...options());
    await held;
    first.interrupt();
    release();
    const { code, stderr } = await first.ended;
    expect(stderr).to.contain('interrupted is unfinished; the same command goes on from here');
    expect(code).to.equal(130);
    const before = clients.port.sent;
    const second = await clients.diskpress(image(diskFile.raw), 'dv/interrupted', ...options()).ended;
    expect(second.stderr).to.match(/going on after [\d.]+ MiB/);
    expect(second.code).to.equal(0);
    const { size } = await stat(image(diskFile.raw));
    expect(clients.port.sent - before).to.be.below(size - 40 * MEBIBYTE);
    await expectDisk('interrupted');
  });

  it('is continued by virtctl, whose beginning is compared, when it is run again', async () => {
    const { held, release } = clients.port.holdAfter(60 * MEBIBYTE);
    const path = `--image-path=${image(diskFile.raw)}`;
    const first = clients.virtctl('dv', 'again', path, '--retry', '1', ...options()).catch((error: unknown) => error);
    await held;
    clients.port.cut();
    release();
    expect(await first).to.be.instanceOf(Error);
    await clients.virtctl('dv', 'again', path, '--no-create');
    await expectDisk('again');
  });

  const uploads: Record<string, (target: string) => Promise<void>> = {
    virtctl: async (target) => {
      await clients.virtctl('dv', target, `--image-path=${image(diskFile.raw)}`, ...options());
    },
    diskpress: async (target) => {
      const { code, stderr } = await clients.diskpress(image(diskFile.raw), `dv/${target}`, ...options()).ended;
      expect(code, stderr).to.equal(0);
    },
  };
  for (const [name, upload] of Object.entries(uploads)) {
    it(`goes on when the upload server is killed, by ${name}`, async () => {
      const target = `server-${name}`;
      const { held, release } = clients.port.holdAfter(70 * MEBIBYTE);
      const uploading = upload(target);
      await Promise.race([held, uploading]);
      await kill(await serverOf(target));
      release();
      await uploading;
      await expectDisk(target);
    });
  }

  it('goes on when the proxies are killed', async () => {
    const { held, release } = clients.port.holdAfter(70 * MEBIBYTE);
    const uploading = uploads['virtctl']?.('proxies');
    await Promise.race([held, uploading]);
    const selection = { namespace: productNamespace, labelSelector: 'cdi.kubevirt.io=cdi-uploadproxy' };
    const proxies = await suite.client.list(pods, selection);
    expect(proxies).to.have.lengthOf(2);
    await Promise.all(proxies.map(kill));
    release();
    await uploading;
    await expectDisk('proxies');
  });
});
