import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { sparseVmdk } from '../../support/sparse-vmdk.ts';
import { sameDisk } from '../support/images.ts';
import { run } from '../support/processes.ts';
import { mixedDisk, UploadRig } from './rig/upload-rig.ts';

describe('an upload that cannot be decoded in one pass', () => {
  let rig: UploadRig;
  let raw: string;
  let disk: Buffer;

  beforeEach(async () => {
    rig = await UploadRig.create();
    raw = join(rig.directory, 'raw');
    disk = mixedDisk(24);
    await writeFile(raw, disk);
  });

  afterEach(async () => {
    await rig.dispose();
  });

  it('asks for scratch space, and is converted from there when it is sent again', async () => {
    await run('qemu-img', ['convert', '-O', 'qed', raw, join(rig.directory, 'image')]);
    const image = await readFile(join(rig.directory, 'image'));
    const first = rig.start();
    const answer = await rig.send(first, { body: image });
    expect(answer).to.include({ status: 503 });
    expect(answer.text).to.match(
      /^the upload has to be copied to scratch space .*prepared now: send the image again\n$/,
    );
    expect((await first.result()).outcome).to.equal('scratch-required');
    expect(await readdir(rig.target)).to.deep.equal([]);

    const second = rig.start({ scratch: true });
    expect((await rig.send(second, { body: image })).status).to.equal(200);
    expect(await second.result()).to.include({ outcome: 'succeeded', format: 'qed' });
    expect(await sameDisk(rig.diskImage, raw)).to.equal(true);
    expect(await readdir(rig.scratch)).to.deep.equal([]);
  });

  it('is asked for again, where that shows after its first bytes are gone', async () => {
    const image = sparseVmdk(disk, { grainSize: 65536, entries: 512, tablesLast: true });
    const server = rig.start({ scratch: true });
    for (let attempts = 1; ; attempts += 1) {
      const { status, text } = await rig.send(server, { body: image });
      if (status === 200) break;
      expect(status).to.equal(503);
      expect(text).to.match(/: send the image again\n$/);
      expect(attempts).to.be.lessThan(3);
    }
    expect((await server.result()).outcome).to.equal('succeeded');
    expect(await sameDisk(rig.diskImage, raw)).to.equal(true);
  });

  it('finds the disk in an archive behind what was taken for one', async () => {
    const folder = join(rig.directory, 'members');
    const script =
      'mkdir "$1"; cp "$2" "$1/b.img"; head -c 40M /dev/urandom > "$1/a.vmem"; tar --sort=name -C "$1" -cf "$1.tar" .';
    await run('bash', ['-ec', script, 'bash', folder, raw]);
    const image = await readFile(`${folder}.tar`);
    const server = rig.start();
    expect((await rig.send(server, { body: image })).status).to.equal(503);
    expect((await rig.send(server, { body: image })).status).to.equal(200);
    expect(await sameDisk(rig.diskImage, raw)).to.equal(true);
  });
});
