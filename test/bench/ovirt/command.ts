import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { mountOf } from '../../integration/support/mounts.ts';
import { spawnBound } from '../../support/bound-child.ts';
import { ovirtLogin } from '../../support/ovirt/engine.ts';
import { imageioProgram } from '../../support/ovirt/imageio-program.ts';
import { startOvirt } from '../../support/ovirt/ovirt.ts';
import type { SimulatedDisk } from '../../support/ovirt/transfers.ts';
import { compare } from '../disks/compare.ts';
import { importerRun } from '../disks/pod.ts';
import { atEnd } from '../ending.ts';
import { BenchImages, smallDisk, wholeDisk } from '../images.ts';
import { measure, type Measurement } from '../import/measure.ts';
import { createVolume } from '../import/volume.ts';

const ADDRESS = '127.0.0.1';
const diskId = 'd1000000-0000-4000-8000-000000000001';
/** Of ovirt-imageio's own client, which `ovirt-img` and the SDK use. */
const download = `
import sys
from ovirt_imageio import client
client.download(sys.argv[1], sys.argv[2], sys.argv[3], fmt="raw")
`;

/**
 * Measures imports of a disk from a simulated oVirt engine over a real imageio daemon and TLS, in turn with its own
 * client: npm run bench -- ovirt [--rounds 3] [--small] [--latency 200]. Needs root.
 */
export async function ovirtBench(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '3' },
      small: { type: 'boolean', default: false },
      latency: { type: 'string', default: '0' },
    },
  });
  const log = (line: string): void => console.error(line);
  const state = await mkdtemp(join(process.env.DISKPRESS_BENCH_FOLDER ?? tmpdir(), 'diskpress-bench-'));
  atEnd(() => rmSync(state, { recursive: true, force: true }));
  const images = new BenchImages(values.small ? smallDisk : wholeDisk, 'files', log);
  const volume = await createVolume(state);
  const ovirt = await startOvirt({ address: ADDRESS, state });
  try {
    const layer = { id: 'a1000000-0000-4000-8000-000000000001', file: await images.path('disk.qcow2') };
    const disk: SimulatedDisk = { id: diskId, layers: [layer] };
    ovirt.engine.addDisk(disk);
    const latency = Number(values.latency);
    const port = latency > 0 ? await distant(ovirt.daemon.port, latency) : ovirt.daemon.port;
    ovirt.engine.daemonPort = port;
    ovirt.transfers.keepsServing = true;
    const target = join(volume.folder, 'disk.img');
    const certificates = await mountOf(state, { 'ca.crt': ovirt.authority });
    const ours = await importerRun(state, {
      source: { type: 'imageio', url: ovirt.engine.url, diskId, insecureSkipVerify: false },
      ...{ login: ovirtLogin, target, capacity: images.dimensions.virtualSize, settings: { certificates } },
    });
    const { program: python } = await imageioProgram('ovirt-img');
    const client = async (): Promise<Measurement> => {
      const transfer = await ovirt.transfers.begin({ disk, isShallow: false, inactivityTimeout: 60 });
      const url = `https://${ADDRESS}:${port}/images/${transfer.ticket}`;
      const script = '"$python" -c "$download" "$url" "$target" "$authority" && sync "$target"';
      const env = { python, download, url, target, authority: join(certificates, 'ca.crt') };
      const measurement = await measure(volume, { program: 'bash', args: ['-euo', 'pipefail', '-c', script], env });
      await ovirt.transfers.end(transfer, 'finished_success');
      return measurement;
    };
    const reference = { name: 'ovirt-imageio’s client', run: client };
    const expected = await images.path('disk.img');
    console.log(await compare({ volume, rounds: Number(values.rounds), ours, reference, target, expected, log }));
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
