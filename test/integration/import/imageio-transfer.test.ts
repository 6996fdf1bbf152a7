import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Progress } from '../../../src/base/progress.ts';
import { openImageio } from '../../../src/source/imageio/open-imageio.ts';
import { eventually } from '../../support/eventually.ts';
import { ovirtLogin } from '../../support/ovirt/engine.ts';
import { type Ovirt, startOvirt } from '../../support/ovirt/ovirt.ts';
import { rejection } from '../../support/rejection.ts';
import { CuttingProxy } from '../support/cutting-proxy.ts';
import { addOvirtDisk, type OvirtDisk } from '../support/ovirt-pods.ts';
import { freePort } from '../support/processes.ts';

const MEBIBYTE = 1024 * 1024;
const EXTEND_AFTER_MILLISECONDS = 100;
/** Of the engine, after which a transfer ends that is not read from. */
const INACTIVITY_TIMEOUT_SECONDS = 2;

describe('imageio: a transfer', () => {
  let directory: string;
  let ovirt: Ovirt;
  let disk: OvirtDisk;

  before(async function () {
    // ovirt-imageio is installed on the first run.
    this.timeout(0);
    directory = await mkdtemp(join(tmpdir(), 'diskpress-ovirt-'));
    ovirt = await startOvirt({ address: '127.0.0.1', state: directory });
    disk = await addOvirtDisk(directory, ovirt);
  });

  after(async () => {
    await ovirt.stop();
    await rm(directory, { recursive: true, force: true });
  });

  afterEach(() => {
    ovirt.engine.daemonPort = undefined;
    ovirt.engine.proxyPort = undefined;
    ovirt.engine.inactivityTimeout = undefined;
    expect(ovirt.transfers.open, 'transfers that were left open').to.deep.equal([]);
  });

  const open = () =>
    openImageio(
      {
        ...{ url: ovirt.engine.url, disk: disk.id, login: ovirtLogin, insecureSkipVerify: true, stage: undefined },
        openTransfers: { load: () => Promise.resolve(undefined), save: async () => {}, remove: async () => {} },
        patience: { giveUpAfter: 1_000, firstDelay: 10, longestDelay: 50 },
        extendAfter: EXTEND_AFTER_MILLISECONDS,
      },
      new Progress(() => {}),
    );

  it('is extended while nothing is read, because what is written to is slow', async () => {
    ovirt.engine.inactivityTimeout = INACTIVITY_TIMEOUT_SECONDS;
    const known = ovirt.transfers.all.length;
    const opened = await open();
    await opened.read(0, Buffer.alloc(MEBIBYTE), 2 * MEBIBYTE);
    const extensions = () => ovirt.engine.requests.filter((request) => request.endsWith('/extend')).length;
    const enough = (2 * INACTIVITY_TIMEOUT_SECONDS * 1000) / EXTEND_AFTER_MILLISECONDS;
    await eventually('it has been extended for long', () => extensions() >= enough, 60_000);
    await opened.read(MEBIBYTE, Buffer.alloc(MEBIBYTE), 2 * MEBIBYTE);
    await opened.close('complete');
    expect(ovirt.transfers.all.slice(known).map(({ phase }) => phase)).to.deep.equal(['finished_success']);
  });

  it('is read through the engine where the host cannot be reached', async () => {
    const proxy = new CuttingProxy({ to: ovirt.daemon.port });
    ovirt.engine.proxyPort = await proxy.listen();
    ovirt.engine.daemonPort = await freePort();
    const opened = await open();
    await opened.read(0, Buffer.alloc(MEBIBYTE), MEBIBYTE);
    await opened.close('complete');
    await proxy.close();
    expect(opened.size).to.equal(80 * MEBIBYTE);
    expect(proxy.bytes).to.be.greaterThan(MEBIBYTE);
  });

  it('is given up on where neither the host nor the engine can be reached by it, and ended', async () => {
    ovirt.engine.proxyPort = await freePort();
    ovirt.engine.daemonPort = await freePort();
    expect(await rejection(open())).to.include({ code: 'ConnectionRefused' });
  });
});
