import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { rejection } from '../../support/rejection.ts';
import { vddkPlugin } from '../../support/vddk/compiled.ts';
import { Vcenter, VCENTER_DISK, VCENTER_PASSWORD, VCENTER_USER } from '../../support/vddk/vcenter.ts';
import { run } from '../support/processes.ts';

const script = fileURLToPath(new URL('../support/cli.ts', import.meta.url));

describe('diskpress import from VMware', () => {
  let directory: string;
  let vcenter: Vcenter;
  let original: string;

  before(async function () {
    // The simulator is compiled on the first run.
    this.timeout(0);
    directory = await mkdtemp(join(tmpdir(), 'diskpress-vddk-'));
    original = join(directory, 'original');
    await run('sh', [
      '-c',
      'truncate -s 64M "$0" && dd if=/dev/urandom of="$0" bs=1M seek=8 count=4 conv=notrunc',
      original,
    ]);
    vcenter = await Vcenter.start(directory, original);
  });

  after(async () => {
    await vcenter?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const given = (disk?: string): string => {
    const { url, instanceUuid, thumbprint } = vcenter.greeting;
    const parameters = new URLSearchParams({ vm: instanceUuid, thumbprint, ...(disk === undefined ? {} : { disk }) });
    return `vddk://${new URL(url).host}?${parameters.toString()}`;
  };
  const diskpress = async (parameters: string[], password = VCENTER_PASSWORD) =>
    run(process.execPath, [script, ...parameters], {
      env: {
        ...process.env,
        VSPHERE_USERNAME: VCENTER_USER,
        VSPHERE_PASSWORD: password,
        VDDK_LIBDIR: vcenter.library.folder,
        VDDK_PLUGIN: await vddkPlugin(),
      },
    });

  it('copies the disk', async () => {
    const target = join(directory, 'disk.img');
    await diskpress(['import', given(VCENTER_DISK), target]);
    await run('cmp', [target, original]);
  });

  it('inspects it, and lists the disks of the machine where none is named', async () => {
    const { stdout } = await diskpress(['inspect', '--json', given(VCENTER_DISK)]);
    expect(JSON.parse(stdout)).to.include({ format: 'raw', virtualSize: 64 * 1024 * 1024 });
    const failure = (await rejection(diskpress(['inspect', given()]))) as { stderr: string };
    expect(failure.stderr).to.include(`no disk is named; its disks are ${VCENTER_DISK}`);
  });

  it('says that the password is wrong, and not which one was given', async () => {
    const target = join(directory, 'refused.img');
    const failure = (await rejection(diskpress(['import', given(VCENTER_DISK), target], 'guess-1'))) as {
      stderr: string;
    };
    expect(failure.stderr)
      .to.match(/log in|login|password/i)
      .and.not.include('guess-1');
    expect(failure.stderr).to.include('check VSPHERE_USERNAME, and VSPHERE_PASSWORD');
  });
});
