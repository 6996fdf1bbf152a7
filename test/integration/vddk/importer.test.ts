import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { vddkPlugin } from '../../support/vddk/compiled.ts';
import { Vcenter, VCENTER_DISK, VCENTER_PASSWORD, VCENTER_USER } from '../../support/vddk/vcenter.ts';
import { importInPod, type PodOptions, type PodRun } from '../support/importer.ts';
import { run } from '../support/processes.ts';

describe('importer: disks of VMware', function () {
  this.timeout(600_000);
  let directory: string;
  let disk: string;
  let vcenter: Vcenter;
  let credentials: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vddk-import-'));
    disk = join(directory, 'disk.img');
    const script = 'truncate -s 64M "$0" && dd if=/dev/urandom of="$0" bs=1M count=8 seek=3 conv=notrunc status=none';
    await run('sh', ['-c', script, disk]);
    vcenter = await Vcenter.start(directory, disk);
    credentials = join(directory, 'credentials');
    await mkdir(credentials);
    await writeFile(join(credentials, 'accessKeyId'), VCENTER_USER);
    await writeFile(join(credentials, 'secretKey'), VCENTER_PASSWORD);
  });

  after(async () => {
    await vcenter.stop();
    await rm(directory, { recursive: true, force: true });
  });

  beforeEach(() => vcenter.reset());

  async function importDisk(more: Partial<PodOptions> = {}): Promise<PodRun> {
    const { url, thumbprint, instanceUuid } = vcenter.greeting;
    return importInPod(directory, {
      source: { type: 'vddk', url, uuid: instanceUuid, backingFile: VCENTER_DISK, thumbprint },
      ...more,
      settings: {
        credentials,
        vddkLibrary: vcenter.library.folder,
        vddkPlugin: await vddkPlugin(),
        patience: { giveUpAfter: 10_000, firstDelay: 10, longestDelay: 50 },
        ...more.settings,
      },
    });
  }

  it('are imported, and the result tells which library has read them, and from which host', async () => {
    const { result, diskImage } = await importDisk();
    expect(result).to.include({
      outcome: 'succeeded',
      format: 'raw',
      virtualSize: 64 * 2 ** 20,
      bytesRead: 8 * 2 ** 20,
    });
    expect(result).to.have.property('vddk').that.deep.equals({ version: '8.0.3 build-23950268', host: 'esx.test' });
    await run('cmp', ['-n', `${64 * 2 ** 20}`, diskImage, disk]);
  });

  it('are read with the options of the library', async () => {
    const vddkOptions = join(directory, 'options');
    await mkdir(vddkOptions);
    await writeFile(join(vddkOptions, 'vddk-config-file'), 'VixDiskLib.nfcAio.Session.BufSizeIn64KB=16\n');
    await importDisk({ settings: { vddkOptions } });
    expect(await vcenter.library.calls('InitEx')).to.deep.equal([`InitEx 6.5 config=${vddkOptions}/vddk-config-file`]);
    expect((await vcenter.library.calls('Open'))[0]).to.match(/^Open flags=4 /);
  });

  it('are compressed by the host where that is asked for, by a name that the library knows', async () => {
    const vddkOptions = await mkdtemp(join(directory, 'options-'));
    await writeFile(join(vddkOptions, 'vddk-compression'), 'fastlz\n');
    expect((await importDisk({ settings: { vddkOptions } })).result).to.include({ outcome: 'succeeded' });
    // Read-only, and FastLZ, as the documentation of VixDiskLib_Open numbers them.
    expect((await vcenter.library.calls('Open'))[0]).to.match(/^Open flags=36 /);
    await writeFile(join(vddkOptions, 'vddk-compression'), 'gzip\n');
    const { result } = await importDisk({ settings: { vddkOptions } });
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'InvalidRequest' });
    expect(result).to.have.property('message').that.includes('"gzip"');
  });

  it('are brought from one snapshot to the next, of which only the changes are read', async () => {
    const first = await vcenter.snapshot('first');
    const writing = 'dd if=/dev/urandom of="$0" bs=64k count=2 seek=300 conv=notrunc status=none';
    await run('sh', ['-c', writing, await vcenter.disk()]);
    const second = await vcenter.snapshot('second');
    const earlier = await importDisk({ stage: { previous: '', current: first, isFinal: false } });
    expect(earlier.result).to.include({ outcome: 'succeeded', bytesRead: 8 * 2 ** 20 });
    const later = await importDisk({
      stage: { previous: first, current: second, isFinal: true },
      prepare: async (diskImage) =>
        void (await run('sh', ['-c', 'cp -a "$0"/. "$1"', earlier.volume, join(diskImage, '..')])),
    });
    expect(later.result).to.include({ outcome: 'succeeded', bytesRead: 2 * 65536 });
    await run('cmp', ['-n', `${64 * 2 ** 20}`, later.diskImage, await vcenter.disk()]);
  });

  it('need the library', async () => {
    const { result } = await importDisk({ settings: { vddkLibrary: join(directory, 'none') } });
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'ProgramMissing' });
    expect(result).to.have.property('message').that.includes('vmware-vix-disklib-distrib');
  });

  it('leave no password where others see it', async () => {
    await vcenter.library.delay('Read', 1500);
    let isImported = false;
    const importing = importDisk().finally(() => (isImported = true));
    let seen = '';
    while (!isImported && seen === '') {
      seen = (await run('ps', ['-eo', 'args'])).stdout
        .split('\n')
        .filter((line) => line.includes('nbdkit-diskpress') && line.includes(directory))
        .join('\n');
    }
    expect(seen).to.include('password=-3').and.not.to.include(VCENTER_PASSWORD);
    const { result } = await importing;
    expect(JSON.stringify(result)).not.to.include(VCENTER_PASSWORD);
    expect(await readFile(join(vcenter.library.folder, 'control', 'calls'), 'utf8')).not.to.include(VCENTER_PASSWORD);
  });
});
