import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vddkPlugin } from '../../support/vddk/compiled.ts';
import { Vcenter, VCENTER_DISK, VCENTER_PASSWORD, VCENTER_USER } from '../../support/vddk/vcenter.ts';
import { benchCommand, roundsOption, smallOption } from '../command-line.ts';
import { compare } from '../disks/compare.ts';
import { importerRun } from '../disks/pod.ts';
import { atEnd } from '../ending.ts';
import { BenchImages, smallDisk, wholeDisk } from '../images.ts';
import { measure } from '../import/measure.ts';
import { createVolume } from '../import/volume.ts';

/**
 * Measures imports of a disk from a simulated vCenter by the stand-in for VMware's library, in turn with nbdcopy, which
 * reads by the same plugin of nbdkit. Needs root, and nbdcopy of the package libnbd-bin.
 */
export async function vddkBench(args: string[]): Promise<number> {
  const { rounds, small } = benchCommand('vddk', 'Imports a disk from a simulated vCenter.')
    .addOption(roundsOption(3))
    .addOption(smallOption())
    .parse(args, { from: 'user' })
    .opts<{ rounds: number; small: boolean }>();
  const log = (line: string): void => console.error(line);
  const state = await mkdtemp(join(process.env.DISKPRESS_BENCH_FOLDER ?? tmpdir(), 'diskpress-bench-'));
  atEnd(() => rmSync(state, { recursive: true, force: true }));
  const images = new BenchImages(small ? smallDisk : wholeDisk, 'files', log);
  const expected = await images.path('disk.img');
  const volume = await createVolume(state);
  const vcenter = await Vcenter.start(state, expected);
  try {
    const { url, thumbprint, instanceUuid: uuid, machine } = vcenter.greeting;
    const target = join(volume.folder, 'disk.img');
    const plugin = await vddkPlugin();
    const { folder } = vcenter.library;
    const ours = await importerRun(state, {
      source: { type: 'vddk', url, uuid, backingFile: VCENTER_DISK, thumbprint },
      login: { user: VCENTER_USER, password: VCENTER_PASSWORD },
      ...{ target, capacity: images.dimensions.virtualSize, settings: { vddkLibrary: folder, vddkPlugin: plugin } },
    });
    const passwordFile = join(state, 'password');
    await writeFile(passwordFile, VCENTER_PASSWORD, { mode: 0o600 });
    const parameters = {
      ...{ libdir: folder, server: '127.0.0.1', user: VCENTER_USER, password: `+${passwordFile}` },
      ...{ thumbprint, vm: `moref=${machine}`, file: VCENTER_DISK },
    };
    const given = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
    const copy = 'nbdcopy "$uri" "$target" && sync "$target"';
    const nbdcopy = {
      program: 'nbdkit',
      args: ['--readonly', '--exit-with-parent', '--unix', '-', plugin, ...given, '--run', copy],
      env: { target, LD_LIBRARY_PATH: join(folder, 'lib64') },
    };
    const reference = { name: 'nbdcopy', run: () => measure(volume, nbdcopy) };
    console.log(await compare({ volume, rounds, ours, reference, target, expected, log }));
    return 0;
  } finally {
    await vcenter.stop();
  }
}
