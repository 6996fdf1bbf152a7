import { execFileSync } from 'node:child_process';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { CloneRig, portOf } from './rig/clone-rig.ts';
import { sh, writeSparseDisk } from './rig/disks.ts';

const MEBIBYTE = 1024 * 1024;

describe('a clone with a Block volume at one end or both', () => {
  let rig: CloneRig;

  beforeEach(async () => {
    rig = await CloneRig.create();
  });

  afterEach(() => rig.dispose());

  it('device to device: nothing that was on the target shows through, and holes take no storage', async () => {
    const source = rig.devices.attach('source.raw', 48);
    writeSparseDisk(rig.devices.file('source.raw'), 48);
    const target = rig.devices.attach('target.raw', 64);
    sh('yes stale | dd of="$1" bs=1M iflag=fullblock oflag=direct status=none count=64', '/', target);

    const server = rig.startServer({ volumeMode: 'Block' }, { blockDevice: target });
    const sender = rig.startSource({ volumeMode: 'Block' }, { port: await portOf(server), blockDevice: source });
    expect(await sender.result()).to.include({ outcome: 'succeeded', virtualSize: 48 * MEBIBYTE });
    expect(await server.result()).to.include({ outcome: 'succeeded', virtualSize: 64 * MEBIBYTE });

    execFileSync('cmp', ['-n', String(48 * MEBIBYTE), source, target]);
    sh('cmp -i "$2" -n "$3" "$1" /dev/zero', '/', target, `${48 * MEBIBYTE}:0`, String(16 * MEBIBYTE));
    expect((await stat(rig.devices.file('target.raw'))).blocks * 512).to.be.below(8 * MEBIBYTE);
  });

  it('device to disk image: sparse, and grown to what may be used of the volume', async () => {
    const source = rig.devices.attach('source.raw', 48);
    writeSparseDisk(rig.devices.file('source.raw'), 48);
    const server = rig.startServer({ capacity: 60 * MEBIBYTE }, {}, { asPodUser: true });
    const sender = rig.startSource({ volumeMode: 'Block' }, { port: await portOf(server), blockDevice: source });
    expect((await sender.result()).outcome).to.equal('succeeded');
    expect(await server.result()).to.include({ outcome: 'succeeded', virtualSize: 60 * MEBIBYTE });

    const image = join(rig.target, 'disk.img');
    execFileSync('cmp', ['-n', String(48 * MEBIBYTE), source, image]);
    const { size, blocks, mode } = await stat(image);
    expect(size).to.equal(60 * MEBIBYTE);
    expect(blocks * 512).to.be.below(8 * MEBIBYTE);
    expect(mode & 0o777).to.equal(0o660);
  });

  it('disk image to device', async () => {
    const image = join(rig.source, 'disk.img');
    writeSparseDisk(image, 48);
    const target = rig.devices.attach('target.raw', 48);
    const server = rig.startServer({ volumeMode: 'Block' }, { blockDevice: target });
    const sender = rig.startSource({}, { port: await portOf(server) });
    expect(await sender.result()).to.include({ outcome: 'succeeded', virtualSize: 48 * MEBIBYTE });
    expect((await server.result()).outcome).to.equal('succeeded');
    execFileSync('cmp', [image, target]);
  });

  it('is refused where the device is too small', async () => {
    writeSparseDisk(join(rig.source, 'disk.img'), 48);
    const server = rig.startServer({ volumeMode: 'Block' }, { blockDevice: rig.devices.attach('target.raw', 32) });
    const sender = rig.startSource({}, { port: await portOf(server) });
    for (const role of [sender, server]) {
      expect(await role.result()).to.include({ outcome: 'failed', permanent: true, code: 'ImageTooLarge' });
    }
  });

  it('is refused where the source volume holds no disk, or a tree of files', async () => {
    await writeFile(join(rig.source, 'notes.txt'), 'no disk');
    await mkdir(join(rig.source, 'folder'));
    const server = rig.startServer({ volumeMode: 'Block' }, { blockDevice: rig.devices.attach('target.raw', 8) });
    const port = await portOf(server);
    expect(await rig.startSource({}, { port }).result()).to.include({
      outcome: 'failed',
      permanent: true,
      code: 'DiskNotFound',
    });
    expect(await rig.startSource({ contentType: 'archive' }, { port }).result()).to.include({
      outcome: 'failed',
      permanent: true,
      code: 'UnsupportedClone',
    });
  });

  it('is refused where a disk is to become a tree of files', async () => {
    const source = rig.devices.attach('source.raw', 8);
    const server = rig.startServer({ contentType: 'archive' });
    const sender = rig.startSource({ volumeMode: 'Block' }, { port: await portOf(server), blockDevice: source });
    for (const role of [sender, server]) {
      expect(await role.result()).to.include({ outcome: 'failed', permanent: true, code: 'UnsupportedClone' });
    }
  });
});
