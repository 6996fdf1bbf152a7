import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventually } from '../../support/eventually.ts';
import { ovirtLogin } from '../../support/ovirt/engine.ts';
import { type Ovirt, startOvirt } from '../../support/ovirt/ovirt.ts';
import { CuttingProxy, type CuttingProxyOptions } from '../support/cutting-proxy.ts';
import { sameDisk } from '../support/images.ts';
import type { PodRun } from '../support/importer.ts';
import { addOvirtDisk, type OvirtDisk, OvirtPods } from '../support/ovirt-pods.ts';

const MEBIBYTE = 1024 * 1024;

describe('importer: oVirt', () => {
  let directory: string;
  let ovirt: Ovirt;
  let pods: OvirtPods;
  let disk: OvirtDisk;

  before(async function () {
    // ovirt-imageio is installed on the first run.
    this.timeout(0);
    directory = await mkdtemp(join(tmpdir(), 'diskpress-ovirt-'));
    ovirt = await startOvirt({ address: '127.0.0.1', state: directory });
    pods = new OvirtPods(directory, ovirt);
    disk = await addOvirtDisk(directory, ovirt);
  });

  after(async () => {
    await ovirt.stop();
    await rm(directory, { recursive: true, force: true });
  });

  afterEach(() => {
    ovirt.engine.daemonPort = undefined;
    expect(ovirt.transfers.open, 'transfers that were left open').to.deep.equal([]);
    expect([...ovirt.engine.sessions], 'sessions that were left').to.deep.equal([]);
    for (const secret of [
      ovirtLogin.password,
      ...ovirt.engine.tokens,
      ...ovirt.transfers.all.map((one) => one.ticket),
    ]) {
      expect(pods.told.join('\n')).not.to.contain(secret);
    }
  });

  const succeeds = async ({ result, diskImage }: PodRun): Promise<void> => {
    expect(result.outcome, JSON.stringify(result)).to.equal('succeeded');
    expect(await sameDisk(diskImage, disk.raw)).to.equal(true);
  };

  /** Imports through a proxy, and does something once the proxy has passed on so many bytes and nothing more. */
  const importThrough = async (
    options: Omit<CuttingProxyOptions, 'to'>,
    meanwhile: () => Promise<void> = async () => {},
  ): Promise<{ run: PodRun; proxy: CuttingProxy }> => {
    const proxy = new CuttingProxy({ to: ovirt.daemon.port, ...options });
    ovirt.engine.daemonPort = await proxy.listen();
    const importing = pods.import(disk.id);
    if (options.stallAfter !== undefined) {
      await eventually('the import has come some way', () => proxy.bytes >= (options.stallAfter ?? 0));
      ovirt.engine.daemonPort = undefined;
      await meanwhile();
      proxy.cut();
    }
    const run = await importing;
    await proxy.close();
    return { run, proxy };
  };

  it('reads what the disk has, and no zeros', async () => {
    const { run, proxy } = await importThrough({});
    await succeeds(run);
    expect(proxy.bytes).to.be.within(disk.dataBytes, disk.dataBytes * 1.05);
    expect(ovirt.engine.requests.filter((request) => request.endsWith('/finalize'))).to.have.length(1);
  });

  it('goes on where connections are cut', async () => {
    const { run, proxy } = await importThrough({ cutAfter: 2 * MEBIBYTE });
    await succeeds(run);
    expect(proxy.connections).to.be.greaterThan(5);
  });

  it('begins another transfer where the ticket has expired', async () => {
    const { run } = await importThrough({ stallAfter: 3 * MEBIBYTE }, async () => {
      const [transfer] = ovirt.transfers.open;
      await ovirt.daemon.removeTicket(transfer?.ticket ?? '');
    });
    await succeeds(run);
  });

  it('goes on where the daemon was restarted, and has forgotten its tickets', async () => {
    const { run } = await importThrough({ stallAfter: 3 * MEBIBYTE }, () => ovirt.daemon.restart());
    await succeeds(run);
  });

  it('goes on where the engine has ended the transfer', async () => {
    const { run } = await importThrough({ stallAfter: 3 * MEBIBYTE }, async () => {
      for (const transfer of ovirt.transfers.open) await ovirt.transfers.end(transfer, 'cancelled_system');
    });
    await succeeds(run);
  });

  it('ends where an administrator has cancelled the transfer', async () => {
    const { run } = await importThrough({ stallAfter: 3 * MEBIBYTE }, async () => {
      for (const transfer of ovirt.transfers.open) await ovirt.transfers.end(transfer, 'cancelled_user');
    });
    expect(run.result).to.include({ outcome: 'failed', code: 'TransferCancelled', permanent: true });
    expect(run.result).to.have.property('message').that.contains('was cancelled at the engine 127.0.0.1');
  });

  it('logs in again where the session has expired', async () => {
    ovirt.engine.fail({ request: /GET .*\/imagetransfers\//, status: 401 });
    await succeeds(await pods.import(disk.id));
  });

  it('waits while the engine is restarted', async () => {
    ovirt.engine.fail({ request: /GET .*\/api$/, status: 503, times: 3 });
    let importing: Promise<PodRun> | undefined;
    await ovirt.restartEngine(async () => {
      importing = pods.import(disk.id);
      await eventually('it is tried again', () => pods.told.some((line) => line.includes('ConnectionRefused')));
    });
    await succeeds(await importing!);
  });

  it('waits while the disk is locked', async () => {
    ovirt.engine.fail({
      request: /POST .*\/imagetransfers$/,
      status: 409,
      body: {
        reason: 'Operation Failed',
        detail: '[Cannot transfer Virtual Disk: Disk is locked. Please try again later.]',
      },
      times: 3,
    });
    await succeeds(await pods.import(disk.id));
    expect(pods.told.filter((line) => line.includes('DiskLocked'))).to.have.length(3);
  });

  it('asks for a transfer once, however long the engine initializes it', async () => {
    const before = ovirt.transfers.all.length;
    ovirt.engine.initializingLooks = 8;
    try {
      await succeeds(await pods.import(disk.id));
    } finally {
      ovirt.engine.initializingLooks = 2;
    }
    expect(ovirt.transfers.all).to.have.length(before + 1);
  });

  it('ends the transfer that an earlier pod has left open', async () => {
    const [known] = ovirt.transfers.all;
    const left = await ovirt.transfers.begin({ ...known!, inactivityTimeout: 60 });
    left.phase = 'transferring';
    await succeeds(await pods.import(disk.id, { openTransfer: left.id }));
    expect(left.phase).to.equal('finished_cleanup');
  });

  it('takes no notice of one that has ended, or of what is no identifier', async () => {
    const ended = ovirt.transfers.all.at(-1);
    await succeeds(await pods.import(disk.id, { openTransfer: ended!.id }));
    await succeeds(await pods.import(disk.id, { openTransfer: '../disks/1' }));
  });

  const refusals = [
    {
      what: 'a wrong password',
      login: { user: ovirtLogin.user, password: 'closes' },
      failure: { code: 'Unauthorized', permanent: true },
      message: /refuses the user or the password: check the Secret in secretRef/,
    },
    {
      what: 'a user without a profile',
      login: { user: 'admin', password: ovirtLogin.password },
      failure: { code: 'InvalidRequest', permanent: true },
      message: /like admin@internal/,
    },
    {
      what: 'a disk that is not there',
      diskId: 'd9999999-0000-4000-8000-000000000009',
      failure: { code: 'NotFound', permanent: true },
      message: /disk d9999999-.*404 Not Found; check the identifier/,
    },
  ];
  for (const { what, failure, message, ...given } of refusals) {
    it(`explains ${what}`, async () => {
      const { result } = await pods.import(given.diskId ?? disk.id, { login: given.login });
      expect(result).to.include({ outcome: 'failed', ...failure });
      expect(result).to.have.property('message').that.matches(message);
    });
  }

  it('explains a certificate that is not trusted, and accepts any where it is told to', async () => {
    const untrusted = await pods.import(disk.id, { isTrusted: false });
    expect(untrusted.result).to.include({ outcome: 'failed', code: 'CertificateUntrusted' });
    await succeeds(await pods.import(disk.id, { isTrusted: false, insecureSkipVerify: true }));
  });

  it('is the same disk after pods that were killed anywhere', async () => {
    const diskImage = join(await mkdtemp(join(directory, 'volume-')), 'disk.img');
    let openTransfer: string | undefined;
    for (let kills = 0; kills < 4; kills += 1) {
      const stallAfter = Math.floor((0.1 + Math.random()) * 5 * MEBIBYTE);
      const proxy = new CuttingProxy({ to: ovirt.daemon.port, stallAfter });
      ovirt.engine.daemonPort = await proxy.listen();
      const pod = await pods.start(disk.id, { diskImage, openTransfer });
      await eventually('the import has come some way', () => proxy.bytes >= stallAfter);
      ({ openTransfer } = await pod.progress());
      await pod.end('SIGKILL');
      await proxy.close();
    }
    ovirt.engine.daemonPort = undefined;
    await succeeds(await pods.import(disk.id, { diskImage, openTransfer }));
    // Nobody can log out in the place of those that were killed.
    ovirt.engine.sessions.clear();
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`leaves nothing open after ${signal}`, async () => {
      const proxy = new CuttingProxy({ to: ovirt.daemon.port, stallAfter: 3 * MEBIBYTE });
      ovirt.engine.daemonPort = await proxy.listen();
      const pod = await pods.start(disk.id);
      await eventually('the import has come some way', () => proxy.bytes >= 3 * MEBIBYTE);
      const { openTransfer } = await pod.progress();
      expect(openTransfer).to.equal(ovirt.transfers.open[0]?.id);
      await pod.end(signal);
      await proxy.close();
      ovirt.engine.daemonPort = undefined;
      if (signal === 'SIGTERM') return;
      // Nobody can log out in its place.
      ovirt.engine.sessions.clear();
      await succeeds(await pods.import(disk.id, { openTransfer }));
    });
  }
});
