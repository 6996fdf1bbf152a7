import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { peakMemory } from '../../support/peak-memory.ts';
import { sh } from '../copy/rig/disks.ts';
import { sameDisk } from '../support/images.ts';
import { LimitedImporter } from '../support/limited-importer.ts';

const MEBIBYTE = 1024 * 1024;
/** The default memory limit of a pod in bytes, page cache included. */
const MEMORY = 600_000_000;
/** The limits in bytes of an import without windows, and of all windows and dictionaries together. */
const RESIDENT = 150_000_000;
const WINDOWS = 224 * MEBIBYTE;
/** The window of zstd and the dictionary of xz, in bytes. */
const NEEDED = (128 + 64) * MEBIBYTE;

/**
 * Shell script that makes images out of disk.img. A decoder touches its whole window only if that much data comes out
 * of it, and keeps it only while more is to come. So zstd gets a hash table that is too small to find anything in: what
 * it writes is as large as the disk, and fills the dictionary of xz while the disk fills zstd's window.
 */
const SCRIPT = `
  zstd27() { zstd -q --zstd=strat=1,wlog=27,hlog=6; }
  xz64() { xz -T1 --lzma2=preset=0,dict=64MiB,mf=hc3,nice=8,depth=1; }
  head -c 64K /dev/urandom >piece; for i in $(seq 2304); do cat piece; done >disk.img
  zstd27 <disk.img | xz64 | gzip -1 >disk.img.zst.xz.gz
  zstd27 <disk.img | zstd27 >disk.img.zst.zst`;

describe('importer: compressions in each other, with windows that are used in full', () => {
  let importer: LimitedImporter;

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    const created = await LimitedImporter.create('nested', { memory: MEMORY, rate: 256 * MEBIBYTE, volume: 1024 });
    if (!created) this.skip();
    importer = created;
    sh(SCRIPT, importer.root);
  });

  after(() => importer?.remove());

  interface Ended {
    end: unknown;
    told: string;
    peak: number;
  }

  async function importOf(name: string): Promise<Ended> {
    const running = importer.start(name);
    const told = text(running.stderr);
    const ended = once(running, 'close');
    let isRunning = true;
    const peak = peakMemory(running.pid ?? 0, () => isRunning);
    const end: unknown = await ended;
    isRunning = false;
    return { end, told: await told, peak: await peak };
  }

  it('takes the memory of the windows and no more', async () => {
    const { end, told, peak } = await importOf('disk.img.zst.xz.gz');
    // A process that takes too much is killed with a signal.
    expect(end, told).to.deep.equal([0, null]);
    expect(await sameDisk(importer.target, join(importer.root, 'disk.img'))).to.equal(true);
    expect(peak).to.be.within(NEEDED, RESIDENT + WINDOWS);
    await rm(importer.target);
  });

  it('refuses windows that are too large together, before it has taken their memory', async () => {
    const { end, told, peak } = await importOf('disk.img.zst.zst');
    expect(end, told).to.deep.equal([1, null]);
    expect(told).to.include('takes more memory than allowed');
    expect(peak).to.be.below(RESIDENT + WINDOWS);
  });
});
