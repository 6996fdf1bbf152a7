import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { DiskRange } from '../../../src/base/disk-source.ts';
import { Progress } from '../../../src/base/progress.ts';
import { openVddkDisk, type VddkOptions } from '../../../src/source/vddk/open-vddk-disk.ts';
import { rejection } from '../../support/rejection.ts';
import { vddkPlugin } from '../../support/vddk/compiled.ts';
import { Vcenter, VCENTER_DISK, VCENTER_PASSWORD, VCENTER_USER } from '../../support/vddk/vcenter.ts';
import { run } from '../support/processes.ts';

const MEBIBYTE = 2 ** 20;
const SIZE = 64 * MEBIBYTE;

describe('vddk: vCenter', function () {
  this.timeout(600_000);
  let directory: string;
  let vcenter: Vcenter;
  let notes: string[];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vcenter-'));
    const disk = join(directory, 'disk.img');
    await run('sh', [
      '-c',
      'truncate -s 64M "$0" && dd if=/dev/urandom of="$0" bs=1M count=8 conv=notrunc status=none',
      disk,
    ]);
    vcenter = await Vcenter.start(directory, disk);
  });

  after(async () => {
    await vcenter.stop();
    await rm(directory, { recursive: true, force: true });
  });

  beforeEach(async () => {
    await vcenter.reset();
    notes = [];
  });

  async function openDisk(more: Partial<VddkOptions> = {}) {
    const { url, thumbprint, instanceUuid } = vcenter.greeting;
    const options: VddkOptions = {
      url,
      thumbprint,
      uuid: instanceUuid,
      backingFile: VCENTER_DISK,
      credentials: { user: VCENTER_USER, password: VCENTER_PASSWORD },
      installation: { libraryFolder: vcenter.library.folder, plugin: await vddkPlugin(), workFolder: directory },
      patience: { giveUpAfter: 10_000, firstDelay: 10, longestDelay: 50 },
      ...more,
    };
    return openVddkDisk(options, new Progress((step, details) => notes.push(`${step} ${JSON.stringify(details)}`)));
  }

  async function rangesOf(more: Partial<VddkOptions>): Promise<(readonly [number, number, DiskRange['content']])[]> {
    const disk = await openDisk(more);
    const ranges = [];
    for await (const { offset, length, content } of disk.ranges(0)) ranges.push([offset, length, content] as const);
    await disk.close();
    return ranges;
  }

  async function write(offset: number, data: Buffer): Promise<void> {
    const file = await open(await vcenter.disk(), 'r+');
    await file.write(data, 0, data.length, offset);
    await file.close();
  }

  for (const which of ['instanceUuid', 'biosUuid'] as const)
    it(`names the machine of a disk by its ${which}`, async () => {
      const disk = await openDisk({ uuid: vcenter.greeting[which] });
      await disk.close();
      expect(disk.size).to.equal(SIZE);
      const [connected] = await vcenter.library.calls('ConnectEx');
      expect(connected).to.include(`vm=moref=${vcenter.greeting.machine}`).and.to.include('server=127.0.0.1');
    });

  it('has no session while the disk is read', async () => {
    const disk = await openDisk();
    expect((await vcenter.calls('Login')).length).to.equal((await vcenter.calls('Logout')).length);
    await disk.close();
  });

  it('has the session ended that an import was killed with, and no other', async () => {
    // What cannot log out leaves its session, as what is killed does.
    await vcenter.fail('Logout', 'HostCommunication', 2);
    await (await openDisk({ importId: 'one' })).close();
    await (await openDisk({ importId: 'other' })).close();
    expect(await vcenter.calls('TerminateSession')).to.deep.equal([]);
    await (await openDisk({ importId: 'one' })).close();
    expect(await vcenter.calls('TerminateSession')).to.have.length(1);
    await vcenter.fail('TerminateSession', 'NoPermission');
    await (await openDisk({ importId: 'other' })).close();
    expect(await vcenter.calls('TerminateSession')).to.have.length(2);
  });

  for (const method of ['FindByUuid', 'RetrievePropertiesEx'])
    it(`is logged in to again when the session expires before ${method}`, async () => {
      await vcenter.fail(method, 'NotAuthenticated', 1);
      await (await openDisk()).close();
      expect(await vcenter.calls('Login')).to.have.length(2);
    });

  for (const method of ['RetrieveServiceContent', 'Login', 'FindByUuid', 'RetrievePropertiesEx'])
    it(`is asked again when ${method} fails for a while`, async () => {
      await vcenter.fail(method, 'HostCommunication', 3);
      await (await openDisk()).close();
      expect(notes.filter((note) => note.startsWith('retrying'))).to.have.length(3);
    });

  it('refuses a wrong password', async () => {
    const credentials = { user: VCENTER_USER, password: 'secret' };
    const failure = await rejection(openDisk({ credentials }));
    expect(failure).to.include({ code: 'Unauthorized', permanent: true });
    expect(String(failure)).not.to.include('secret');
  });

  it('is trusted by its thumbprint alone, or by an authority', async () => {
    const other = vcenter.greeting.thumbprint.replace(/^../, 'FF');
    const failure = await rejection(openDisk({ thumbprint: other }));
    expect(failure).to.include({ code: 'CertificateUntrusted', permanent: true });
    expect(failure).to.have.property('message').that.includes(vcenter.greeting.thumbprint);
    expect(await rejection(openDisk({ thumbprint: undefined }))).to.include({ code: 'CertificateUntrusted' });
    expect(await vcenter.calls()).to.deep.equal([]);
    const certificate = join(directory, 'authority.crt');
    const { host } = new URL(vcenter.greeting.url);
    const { stdout } = await run('sh', [
      '-c',
      'openssl s_client -connect "$0" </dev/null 2>/dev/null | openssl x509',
      host,
    ]);
    await writeFile(certificate, stdout);
    await (await openDisk({ thumbprint: undefined, certificatesDirectories: [certificate] })).close();
  });

  for (const [what, more, code, words] of [
    ['machine', { uuid: '00000000-0000-0000-0000-000000000000' }, 'NotFound', 'no virtual machine with the UUID'],
    ['disk', { backingFile: '[LocalDS_0] other.vmdk' }, 'DiskNotFound', `its disks are ${VCENTER_DISK}`],
    ['snapshot', { stage: { previous: '', current: 'gone' } }, 'NotFound', 'no snapshot gone'],
  ] as const)
    it(`has no such ${what}`, async () => {
      const failure = await rejection(openDisk(more));
      expect(failure).to.include({ code, permanent: true }).with.property('message').that.includes(words);
      expect((await vcenter.calls('Login')).length).to.equal((await vcenter.calls('Logout')).length);
    });

  it('names a privilege that the user does not have', async () => {
    await vcenter.fail('RetrievePropertiesEx', 'NoPermission');
    expect(await rejection(openDisk())).to.include({ code: 'Forbidden', permanent: true });
  });

  it('tells what has changed between snapshots', async () => {
    const first = await vcenter.snapshot('first');
    await write(MEBIBYTE, Buffer.alloc(65536, 1));
    await write(2 * MEBIBYTE, Buffer.alloc(65536));
    await write(20 * MEBIBYTE + 5, Buffer.alloc(3, 7));
    const second = await vcenter.snapshot('second');
    expect(await rangesOf({ stage: { previous: '', current: first } })).to.deep.equal([
      [0, 8 * MEBIBYTE, 'data'],
      [8 * MEBIBYTE, 56 * MEBIBYTE, 'zeros'],
    ]);
    const expected = [
      [0, MEBIBYTE, 'unchanged'],
      [MEBIBYTE, 65536, 'data'],
      [MEBIBYTE + 65536, MEBIBYTE - 65536, 'unchanged'],
      [2 * MEBIBYTE, 65536, 'zeros'],
      [2 * MEBIBYTE + 65536, 18 * MEBIBYTE - 65536, 'unchanged'],
      [20 * MEBIBYTE, 65536, 'data'],
      [20 * MEBIBYTE + 65536, 44 * MEBIBYTE - 65536, 'unchanged'],
    ];
    // By its identifier, by its name, and by its path.
    for (const current of [second, 'second', '/first/second']) {
      expect(await rangesOf({ stage: { previous: first, current } })).to.deep.equal(expected);
    }
    const opened = await vcenter.library.calls('Open');
    expect(opened.at(-1)).to.equal(`Open flags=4 ${VCENTER_DISK.replace('.vmdk', '-000001.vmdk')}`);
    expect((await vcenter.library.calls('ConnectEx')).at(-1)).to.include(`snapshot=${second}`);
  });

  it('tells many changes in several answers', async () => {
    const before = await vcenter.snapshot('before-many');
    const file = await open(await vcenter.disk(), 'r+');
    for (let at = 0; at < SIZE; at += 131072) await file.write(Buffer.alloc(1, 9), 0, 1, at);
    await file.close();
    const after = await vcenter.snapshot('after-many');
    const ranges = await rangesOf({ stage: { previous: before, current: after } });
    expect(ranges.filter(([, , content]) => content === 'unchanged').length).to.be.greaterThan(500);
    expect(ranges.reduce((end, [offset, length]) => (offset === end ? offset + length : NaN), 0)).to.equal(SIZE);
  });

  it('is asked again when it loses the session while it tells changes', async () => {
    const [previous, current] = [await vcenter.snapshot('a'), await vcenter.snapshot('b')];
    await vcenter.fail('QueryChangedDiskAreas', 'NotAuthenticated', 1);
    expect(await rangesOf({ stage: { previous, current } })).to.deep.equal([[0, SIZE, 'unchanged']]);
  });

  it('says that a snapshot was removed, and that changes are not tracked', async () => {
    const previous = await vcenter.snapshot('removed');
    const current = await vcenter.snapshot('kept');
    await vcenter.removeSnapshot(previous);
    const removed = await rejection(openDisk({ stage: { previous, current } }));
    expect(removed).to.include({ code: 'NotFound', permanent: true });
    await vcenter.fail('QueryChangedDiskAreas', 'FileFault');
    const changeId = '52 de c0 d9 b9 43 9d 10-61 d5 4c 1b e9 7b 65 63/1';
    expect(await rejection(openDisk({ stage: { previous: changeId, current } }))).to.include({
      code: 'RequestRejected',
    });
    await vcenter.forgetChanges();
    const untracked = await vcenter.snapshot('untracked');
    const later = await vcenter.snapshot('later');
    const failure = await rejection(openDisk({ stage: { previous: untracked, current: later } }));
    expect(failure).to.have.property('message').that.includes('turn on changed block tracking');
  });
});
