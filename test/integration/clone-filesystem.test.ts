import { execFileSync } from 'node:child_process';
import { stat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { CloneRig, portOf } from './clone/clone-rig.ts';

const MEBIBYTE = 1024 * 1024;

describe('a Filesystem volume cloned to a Filesystem volume', () => {
  let rig: CloneRig;

  beforeEach(async () => {
    rig = await CloneRig.create();
  });

  afterEach(async () => {
    await rig.dispose();
  });

  it('gets the disk with its holes, grown to what may be used of the target', async () => {
    const disk = join(rig.source, 'disk.img');
    execFileSync(
      'sh',
      ['-c', `truncate -s 64M "$1" && dd if=/dev/urandom of="$1" bs=1M count=5 seek=20 conv=notrunc`, '-', disk],
      {
        stdio: 'ignore',
      },
    );
    const server = rig.startServer({ capacity: 101 * MEBIBYTE, filesystemOverhead: 0.055 });
    const source = rig.startSource({}, { port: await portOf(server) });

    expect(await source.result()).to.include({ outcome: 'succeeded', virtualSize: 64 * MEBIBYTE });
    expect(await server.result()).to.include({ outcome: 'succeeded', virtualSize: 95 * MEBIBYTE });
    const copy = await stat(join(rig.target, 'disk.img'));
    expect(copy.size).to.equal(95 * MEBIBYTE);
    expect(copy.blocks * 512).to.be.within(5 * MEBIBYTE, 6 * MEBIBYTE);
    execFileSync('cmp', ['-n', String(64 * MEBIBYTE), disk, join(rig.target, 'disk.img')]);
    expect(await readdir(rig.target)).to.deep.equal(['disk.img']);
  });
});
