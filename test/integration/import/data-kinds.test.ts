import { once } from 'node:events';
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { kindsOfData, writeDiskOf } from '../../support/disk-data.ts';
import { peakMemory } from '../../support/peak-memory.ts';
import { sh } from '../copy/rig/disks.ts';
import { sameDisk } from '../support/images.ts';
import { keptImage } from '../support/kept-image.ts';
import { LimitedImporter } from '../support/limited-importer.ts';

const MEBIBYTE = 1024 * 1024;
/** What a pod may have by default, page cache included. */
const MEMORY = 600_000_000;
const RESIDENT = 150_000_000;
/** Much more than there is of memory for decoders, which are faster than what it is written to. */
const SIZE = 128 * MEBIBYTE;
const RATE = 48 * MEBIBYTE;

/** It is kept for later runs: to make it takes longer than to import it, which is what is measured. */
const kept = (make: string) => ({ kept: make });
const qcow2 = (options: string) => kept(`qemu-img convert -c -O qcow2 -o ${options} "$1" "$2"`);
/** How an image is made of a raw disk. */
const formats = {
  'zlib-4k.qcow2': qcow2('cluster_size=4k'),
  'zlib-64k.qcow2': qcow2('cluster_size=64k'),
  'zlib-2m.qcow2': qcow2('cluster_size=2M'),
  'zstd-4k.qcow2': qcow2('compression_type=zstd,cluster_size=4k'),
  'zstd-64k.qcow2': qcow2('compression_type=zstd,cluster_size=64k'),
  'zstd-2m.qcow2': qcow2('compression_type=zstd,cluster_size=2M'),
  'raw.gz': 'igzip -1 -c "$1" >"$2"',
  'raw.zst': 'zstd --quiet -T2 <"$1" >"$2"',
  'raw.xz': kept('xz -0 -T2 <"$1" >"$2"'),
  'stream.vmdk': kept('qemu-img convert -O vmdk -o subformat=streamOptimized "$1" "$2"'),
} as const;

describe('importer: whatever the data, with a target slower than the decoder', () => {
  let importer: LimitedImporter;

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    const created = await LimitedImporter.create('data', { memory: MEMORY, rate: RATE, volume: 1024 });
    if (!created) this.skip();
    importer = created;
  });

  after(() => importer?.remove());

  for (const data of kindsOfData) {
    describe(data, () => {
      const images = new Map<string, string>();
      let disk: string;

      before(async function () {
        // Where images are not kept yet.
        this.timeout(600_000);
        disk = join(importer.directory, 'disk.img');
        await writeDiskOf(data, disk, SIZE);
        const content = sh('sha256sum <"$1"', '/', disk);
        for (const [name, format] of Object.entries(formats)) {
          if (typeof format === 'string') continue;
          const make = (path: string) => sh(format.kept, '/', disk, path);
          images.set(name, await keptImage({ data, name, recipe: [format.kept, content], make }));
        }
      });

      for (const [name, make] of Object.entries(formats)) {
        it(`takes at most ${RESIDENT / 1e6} MB: ${name}`, async () => {
          const { target } = importer;
          const image = join(importer.root, name);
          if (typeof make === 'string') sh(make, '/', disk, image);
          else await symlink(images.get(name)!, image);
          const running = importer.start(name);
          const told = text(running.stderr);
          const ended = once(running, 'close');
          let isRunning = true;
          const peak = peakMemory(running.pid ?? 0, () => isRunning);
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
