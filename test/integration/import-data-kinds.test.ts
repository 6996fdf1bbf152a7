import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath, pid } from 'node:process';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { repository } from '../cluster/folders.ts';
import { kindsOfData, writeDiskOf } from '../support/disk-data.ts';
import { peakMemory } from '../support/peak-memory.ts';
import { LoopDevices, sh } from './clone/disks.ts';
import { sameDisk } from './support/images.ts';
import { LimitedGroup } from './support/limited-group.ts';
import { startNginx } from './support/nginx.ts';
import { run, type Server } from './support/processes.ts';

const MEBIBYTE = 1024 * 1024;
/** What a pod may have by default, page cache included. */
const MEMORY = 600_000_000;
const RESIDENT = 150_000_000;
/** Much more than there is of memory for decoders, which are faster than what it is written to. */
const SIZE = 128 * MEBIBYTE;
const RATE = 48 * MEBIBYTE;

const qcow2 = (options: string) => `qemu-img convert -c -O qcow2 -o ${options} "$1" "$2"`;
/** How an image is made of a raw disk. */
const formats = {
  'zlib-4k.qcow2': qcow2('cluster_size=4k'),
  'zlib-64k.qcow2': qcow2('cluster_size=64k'),
  'zlib-2m.qcow2': qcow2('cluster_size=2M'),
  'zstd-4k.qcow2': qcow2('compression_type=zstd,cluster_size=4k'),
  'zstd-64k.qcow2': qcow2('compression_type=zstd,cluster_size=64k'),
  'zstd-2m.qcow2': qcow2('compression_type=zstd,cluster_size=2M'),
  'raw.gz': 'gzip -1 <"$1" >"$2"',
  'raw.zst': 'zstd --quiet -T2 <"$1" >"$2"',
  'raw.xz': 'xz -0 -T2 <"$1" >"$2"',
  'stream.vmdk': 'qemu-img convert -O vmdk -o subformat=streamOptimized "$1" "$2"',
} as const;

describe('importer: whatever the data, with a target slower than the decoder', () => {
  let directory: string;
  let devices: LoopDevices;
  let group: LimitedGroup | undefined;
  let server: Server | undefined;
  let root: string;
  let volume: string;

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    directory = await mkdtemp(join(tmpdir(), 'diskpress-data-'));
    devices = new LoopDevices(directory);
    try {
      group = await LimitedGroup.create(`diskpress-data-${pid}`, MEMORY);
      const device = devices.attach('volume', 1024);
      await group.slowDown(device, RATE);
      const folder = join(directory, 'volume.mounted');
      await mkdir(folder);
      sh('mkfs.xfs -q -K "$1"; mount "$1" "$2"', '/', device, folder);
      volume = folder;
    } catch (error) {
      console.log(`    left out, because they need control groups and loop devices: ${String(error)}`);
      this.skip();
    }
    root = join(directory, 'www');
    await mkdir(root);
    server = await startNginx({ directory, root });
    // As it is shipped: what translating TypeScript takes is not the importer's.
    await run(execPath, [join(repository, 'build.ts')], { cwd: repository });
  });

  after(async () => {
    await server?.stop();
    if (volume) sh('umount "$1"', '/', volume);
    await group?.remove();
    devices?.detach();
    if (directory) await rm(directory, { recursive: true, force: true });
  });

  for (const data of kindsOfData) {
    describe(data, () => {
      let disk: string;

      before(async () => {
        disk = join(directory, 'disk.img');
        await writeDiskOf(data, disk, SIZE);
      });

      for (const [name, make] of Object.entries(formats)) {
        it(`takes at most ${RESIDENT / 1e6} MB: ${name}`, async () => {
          const image = join(root, name);
          const target = join(volume, 'disk.img');
          sh(make, '/', disk, image);
          const args = [join(repository, 'dist/main.js'), 'import', `http://127.0.0.1:${server?.port}/${name}`, target];
          const importer = spawn(...group!.command(execPath, args), { stdio: ['ignore', 'ignore', 'pipe'] });
          const told = text(importer.stderr);
          const ended = once(importer, 'close');
          let isRunning = true;
          const peak = peakMemory(importer.pid ?? 0, () => isRunning);
          const end: unknown = await ended;
          isRunning = false;
          // The kernel's killer would have ended it by a signal.
          expect(end, await told).to.deep.equal([0, null]);
          expect(await sameDisk(target, disk)).to.equal(true);
          expect(await peak).to.be.within(20_000_000, RESIDENT);
          await rm(target);
          await rm(image);
        });
      }
    });
  }
});
