import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import { mountOf } from '../../integration/support/mounts.ts';
import { spawnBound } from '../../support/bound-child.ts';
import { ovirtLogin } from '../../support/ovirt/engine.ts';
import { imageioProgram } from '../../support/ovirt/imageio-program.ts';
import { startOvirt } from '../../support/ovirt/ovirt.ts';
import type { SimulatedDisk } from '../../support/ovirt/transfers.ts';
import { benchCommand, milliseconds, roundsOption, smallOption } from '../command-line.ts';
import { compare } from '../disks/compare.ts';
import { importerRun } from '../disks/pod.ts';
import { atEnd } from '../ending.ts';
import { BenchImages, smallDisk, wholeDisk } from '../images.ts';
import { measure, type Measurement } from '../import/measure.ts';
import { createVolume } from '../import/volume.ts';

const ADDRESS = '127.0.0.1';
const diskId = 'd1000000-0000-4000-8000-000000000001';

interface Options {
  readonly rounds: number;
  readonly small: boolean;
  readonly latency: number;
}

/**
 * Measures imports of a disk from a simulated oVirt engine over a real imageio daemon and TLS, in turn with ovirt-img.
 * Needs root.
 */
export async function ovirtBench(args: string[]): Promise<number> {
  const { rounds, small, latency } = benchCommand('ovirt', 'Imports a disk from a simulated oVirt.')
    .addOption(roundsOption(3))
    .addOption(smallOption())
    .option('--latency <milliseconds>', 'of a round trip to the daemon', milliseconds, 0)
    .parse(args, { from: 'user' })
    .opts<Options>();
  const log = (line: string): void => console.error(line);
  const state = await mkdtemp(join(process.env.DISKPRESS_BENCH_FOLDER ?? tmpdir(), 'diskpress-bench-'));
  atEnd(() => rmSync(state, { recursive: true, force: true }));
  const images = new BenchImages(small ? smallDisk : wholeDisk, 'files', log);
  const volume = await createVolume(state);
  const ovirt = await startOvirt({ address: ADDRESS, state });
  try {
    const layer = { id: 'a1000000-0000-4000-8000-000000000001', file: await images.path('disk.qcow2') };
    const disk: SimulatedDisk = { id: diskId, layers: [layer] };
    ovirt.engine.addDisk(disk);
    const port = latency > 0 ? await distant(ovirt.daemon.port, latency) : ovirt.daemon.port;
    ovirt.engine.daemonPort = port;
    // ovirt-img would sleep for a second after each.
    ovirt.engine.initializingLooks = 0;
    ovirt.transfers.keepsServing = true;
    const target = join(volume.folder, 'disk.img');
    const certificates = await mountOf(state, { 'ca.crt': ovirt.authority });
    const ours = await importerRun(state, {
      source: { type: 'imageio', url: ovirt.engine.url, diskId, insecureSkipVerify: false },
      ...{ login: ovirtLogin, target, capacity: images.dimensions.virtualSize, settings: { certificates } },
    });
    const { program, args: script } = await imageioProgram('ovirt-img');
    const passwordFile = join(state, 'password');
    await writeFile(passwordFile, ovirtLogin.password, { mode: 0o600 });
    const client = (): Promise<Measurement> => {
      const options = {
        ...{ 'engine-url': new URL(ovirt.engine.url).origin, username: ovirtLogin.user, 'password-file': passwordFile },
        ...{ cafile: join(certificates, 'ca.crt'), format: 'raw', output: 'json' },
      };
      const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
      const download = [program, ...script, 'download-disk', ...flags, diskId, target];
      // ovirt-img leaves it to the kernel when the disk is written.
      return measure(volume, { program: 'bash', args: ['-euc', '"$@" && sync "$0"', target, ...download], env: {} });
    };
    const reference = { name: 'ovirt-img', run: client };
    const expected = await images.path('disk.img');
    console.log(await compare({ volume, rounds, ours, reference, target, expected, log }));
    return 0;
  } finally {
    await ovirt.stop();
  }
}

/** Starts a proxy as far away as the milliseconds of a round trip, and returns its port. */
async function distant(port: number, milliseconds: number): Promise<number> {
  const script = join(import.meta.dirname, '../disks/distant.ts');
  const child = spawnBound(execPath, [script, `${port}`, `${milliseconds}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  atEnd(() => child.kill());
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
  return Number(line);
}
