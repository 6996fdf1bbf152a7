import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Pod } from '../../src/kube/builtin-resources.ts';
import { killContainer } from '../cluster/index.ts';
import { diskFile } from '../support/disk-images.ts';
import { MIDDLE, uploadByBoth, uploadsOf } from './support/both-clients.ts';
import { useSuite } from './support/suite.ts';
import { useUploadClients } from './support/upload-clients.ts';
import { containerOf, expectUploadedDisk, uploadProxies } from './support/uploaded-disk.ts';

const MEBIBYTE = 2 ** 20;

describe('an upload that breaks', function () {
  this.timeout(240_000);
  const suite = useSuite();
  const clients = useUploadClients(suite);
  const image = (name: string) => join(suite.disk.folder, name);
  const options = () => ['--storage-class', suite.classes.standard, '--size', '200Mi'];

  const expectDisk = (name: string) => expectUploadedDisk(suite, name);

  async function kill(pod: Pod): Promise<void> {
    expect(await killContainer(containerOf(pod)), `whether ${pod.metadata?.name} was running`).to.be.true;
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

  it('goes on when the upload servers are killed, by virtctl and by diskpress', async () => {
    const { servers, release, end } = await uploadByBoth(suite, clients, 'servers');
    await Promise.all(servers.map(kill));
    release();
    await end();
  });

  it('goes on when the proxies are killed', async () => {
    const { held, release } = clients.port.holdAfter(MIDDLE);
    const uploading = uploadsOf(suite, clients).virtctl('proxies');
    await Promise.race([held, uploading]);
    const proxies = await uploadProxies(suite);
    expect(proxies).to.have.lengthOf(2);
    await Promise.all(proxies.map(kill));
    release();
    await uploading;
    await expectDisk('proxies');
  });
});
