import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { sh } from '../copy/rig/disks.ts';
import { sameDisk } from '../support/images.ts';
import { LimitedImporter } from '../support/limited-importer.ts';

const MEBIBYTE = 1024 * 1024;
const MEMORY = 128 * MEBIBYTE;
/** What is written takes several seconds, and is more than the memory. */
const RATE = 64 * MEBIBYTE;

describe('importer: in 128 MiB of memory, page cache included, with a slow disk', () => {
  let importer: LimitedImporter;

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    const created = await LimitedImporter.create('memory', { memory: MEMORY, rate: RATE, volume: 8192 });
    if (!created) this.skip();
    importer = created;
    // A compressor works at length on data, and keeps whole blocks of 24 MiB of holes in memory like any others.
    sh(
      `truncate -s 2G disk.img holes.img; dd if=/dev/urandom of=data bs=1M count=32 status=none
       for i in $(seq 0 5); do dd if=data of=disk.img bs=1M seek=$((i * 340)) conv=notrunc status=none; done
       dd if=data of=holes.img bs=1M count=8 seek=1000 conv=notrunc status=none
       qemu-img convert -O qcow2 disk.img disk.qcow2; qemu-img convert -O vhdx disk.img disk.vhdx; qemu-img convert -O qed disk.img disk.qed
       xz -0 -T2 --block-size=24MiB -k holes.img`,
      importer.root,
    );
  });

  after(() => importer?.remove());

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
      const { target } = importer;
      const running = importer.start(name, env);
      const told = text(running.stderr);
      expect(await once(running, 'close'), await told).to.deep.equal([0, null]);
      expect(await sameDisk(target, join(importer.root, raw))).to.equal(true);
      expect(await importer.peak()).to.be.within(20 * MEBIBYTE, MEMORY);
      await rm(target);
    });
  }
});
