import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath, pid } from 'node:process';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { repository } from '../cluster/folders.ts';
import { LoopDevices, sh } from './clone/disks.ts';
import { sameDisk } from './support/images.ts';
import { LimitedGroup } from './support/limited-group.ts';
import { startNginx } from './support/nginx.ts';
import { run, type Server } from './support/processes.ts';

const MEBIBYTE = 1024 * 1024;
const MEMORY = 128 * MEBIBYTE;
/** What is written takes several seconds, and is more than the memory. */
const RATE = 64 * MEBIBYTE;

describe('importer: in 128 MiB of memory, page cache included, with a slow disk', () => {
  let directory: string;
  let devices: LoopDevices;
  let group: LimitedGroup | undefined;
  let server: Server | undefined;
  let root: string;
  let volume: string;

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    directory = await mkdtemp(join(tmpdir(), 'diskpress-memory-'));
    devices = new LoopDevices(directory);
    try {
      group = await LimitedGroup.create(`diskpress-test-${pid}`, MEMORY);
      const device = devices.attach('volume', 8192);
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
    // A compressor works at length on data, and keeps whole blocks of 24 MiB of holes in memory like any others.
    sh(
      `truncate -s 2G disk.img holes.img; dd if=/dev/urandom of=data bs=1M count=32 status=none
       for i in $(seq 0 5); do dd if=data of=disk.img bs=1M seek=$((i * 340)) conv=notrunc status=none; done
       dd if=data of=holes.img bs=1M count=8 seek=1000 conv=notrunc status=none
       qemu-img convert -O qcow2 disk.img disk.qcow2; qemu-img convert -O vhdx disk.img disk.vhdx; qemu-img convert -O qed disk.img disk.qed
       xz -0 -T2 --block-size=24MiB -k holes.img`,
      root,
    );
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

  const cases = [
    ['disk.img', 'disk.img', {}],
    ['disk.qcow2', 'disk.img', {}],
    ['disk.vhdx', 'disk.img', {}],
    ['disk.qed', 'disk.img', {}],
    ['holes.img.xz', 'holes.img', {}],
    ['disk.qcow2', 'disk.img', { DISKPRESS_NATIVE: 'off' }],
  ] as const;
  for (const [name, raw, env] of cases) {
    it(`finishes: ${name}${'DISKPRESS_NATIVE' in env ? ', without native libraries' : ''}`, async () => {
      const target = join(volume, 'disk.img');
      const args = [join(repository, 'dist/main.js'), 'import', `http://127.0.0.1:${server?.port}/${name}`, target];
      const importer = spawn(...group!.command(execPath, args), {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, ...env },
      });
      const told = text(importer.stderr);
      expect(await once(importer, 'close'), await told).to.deep.equal([0, null]);
      expect(await sameDisk(target, join(root, raw))).to.equal(true);
      expect(await group?.peak()).to.be.within(20 * MEBIBYTE, MEMORY);
      await rm(target);
    });
  }
});
