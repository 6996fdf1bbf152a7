import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execPath } from 'node:process';
import { parseArgs } from 'node:util';
import { IMPORT_REQUEST_VARIABLE } from '../../../src/protocol/transfer-pod.ts';
import { run } from '../../cluster/commands.ts';
import { bundle, linkNativeLibraries } from '../../integration/support/bundle.ts';
import { ovirtLogin } from '../../support/ovirt/engine.ts';
import { imageioProgram } from '../../support/ovirt/imageio-program.ts';
import { startOvirt } from '../../support/ovirt/ovirt.ts';
import type { SimulatedDisk } from '../../support/ovirt/transfers.ts';
import { atEnd } from '../ending.ts';
import { BenchImages, smallDisk, wholeDisk } from '../images.ts';
import { measure, type Measurement } from '../import/measure.ts';
import { createVolume } from '../import/volume.ts';

const ADDRESS = '127.0.0.1';
const MEGABYTE = 1e6;
const disk = 'd1000000-0000-4000-8000-000000000001';
/** Of ovirt-imageio's own client, which `ovirt-img` and the SDK use. */
const download = `
import sys
from ovirt_imageio import client
client.download(sys.argv[1], sys.argv[2], sys.argv[3], fmt="raw")
`;

/**
 * Measures imports of a disk from a simulated oVirt engine over a real imageio daemon and TLS, in turn with its own
 * client: npm run bench -- ovirt [--rounds 3] [--small]. Needs root.
 */
export async function ovirtBench(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '3' },
      small: { type: 'boolean', default: false },
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
    const served: SimulatedDisk = { id: disk, layers: [layer] };
    ovirt.engine.addDisk(served);
    const target = join(volume.folder, 'disk.img');
    const authority = join(state, 'certificates', 'ca.crt');
    const importing = await podOf(state, authority, target, ovirt.engine.url, ovirt.authority, images);
    const check = async () =>
      run('qemu-img', ['compare', '-q', '-f', 'raw', '-F', 'raw', target, await images.path('disk.img')]);
    const [ours, reference]: [Measurement[], Measurement[]] = [[], []];
    for (let round = 1; round <= Number(values.rounds); round += 1) {
      ours.push(await measure(volume, importing));
      await check();
      await rm(target);
      const transfer = await ovirt.transfers.begin({ disk: served, isShallow: false, inactivityTimeout: 60 });
      const url = `https://${ADDRESS}:${ovirt.daemon.port}/images/${transfer.ticket}`;
      const { program: python } = await imageioProgram('ovirt-img');
      const script = '"$python" -c "$download" "$url" "$target" "$authority" && sync "$target"';
      const env = { python, download, url, target, authority };
      reference.push(await measure(volume, { program: 'bash', args: ['-euo', 'pipefail', '-c', script], env }));
      await ovirt.transfers.end(transfer, 'finished_success');
      await check();
      await rm(target);
      log(`round ${round}: ${ours.at(-1)?.seconds.toFixed(2)} s, reference ${reference.at(-1)?.seconds.toFixed(2)} s`);
    }
    console.log(report(ours, reference));
    return 0;
  } finally {
    await ovirt.stop();
  }
}

async function podOf(
  state: string,
  authority: string,
  diskImage: string,
  url: string,
  certificate: string,
  { dimensions }: BenchImages,
) {
  const credentials = join(state, 'credentials');
  await Promise.all([credentials, dirname(authority)].map((folder) => mkdir(folder)));
  await writeFile(authority, certificate);
  await writeFile(join(credentials, 'accessKeyId'), ovirtLogin.user);
  await writeFile(join(credentials, 'secretKey'), ovirtLogin.password, { mode: 0o600 });
  await linkNativeLibraries(state);
  const source = { type: 'imageio', url, diskId: disk, insecureSkipVerify: false };
  const target = {
    ...{ volumeMode: 'Filesystem', capacity: dimensions.virtualSize, filesystemOverhead: 0 },
    ...{ preallocation: false, contentType: 'kubevirt' },
  };
  const settings = { credentials, certificates: dirname(authority), diskImage, progressPort: 0 };
  return {
    program: execPath,
    args: [await bundle('pod.ts', state)],
    env: {
      [IMPORT_REQUEST_VARIABLE]: JSON.stringify({ source, target, scratch: false }),
      POD_SETTINGS: JSON.stringify(settings),
      TERMINATION_MESSAGE_PATH: join(state, 'termination-log'),
      OWNER_UID: 'f00d',
    },
  };
}

function report(ours: Measurement[], reference: Measurement[]): string {
  const middle = (of: Measurement[], what: keyof Measurement) =>
    of.map((each) => each[what]).toSorted((a, b) => a - b)[Math.floor(of.length / 2)] ?? NaN;
  const [own, other] = [middle(ours, 'seconds'), middle(reference, 'seconds')];
  const cells = [
    own.toFixed(1),
    other.toFixed(1),
    (own / other).toFixed(2),
    middle(ours, 'processor').toFixed(1),
    middle(reference, 'processor').toFixed(1),
    Math.round(Math.max(...ours.map(({ memory }) => memory)) / MEGABYTE).toString(),
  ];
  return [
    '| seconds | ovirt-imageio’s client | ratio | processor, s | of the client | memory, MB |',
    '| --- | --- | --- | --- | --- | --- |',
    `| ${cells.join(' | ')} |`,
  ].join('\n');
}
