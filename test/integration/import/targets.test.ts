import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { pack } from 'tar-stream';
import { Progress } from '../../../src/base/progress.ts';
import { FileSource } from '../../../src/source/kinds/file-source.ts';
import { noise, sameDisk, writeRawDisk } from '../support/images.ts';
import { importInPod } from '../support/importer.ts';
import { startNginx } from '../support/nginx.ts';
import { run, type Server } from '../support/processes.ts';

const MEBIBYTE = 1024 * 1024;

describe('importer: volumes', () => {
  let directory: string;
  let root: string;
  let raw: string;
  let server: Server;
  let url: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-targets-'));
    root = join(directory, 'www');
    await mkdir(root);
    raw = join(root, 'disk.img');
    await writeRawDisk(raw);
    await run('qemu-img', ['convert', '-O', 'qcow2', raw, join(root, 'disk.qcow2')]);
    for (const format of ['vmdk', 'qed']) {
      await run('qemu-img', ['convert', '-O', format, raw, join(root, `disk.${format}`)]);
    }
    server = await startNginx({ directory, root });
    url = `http://127.0.0.1:${server.port}`;
  });

  after(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('makes a blank disk of the usable size', async () => {
    const { result, diskImage } = await importInPod(directory, { source: { type: 'blank' } });
    expect(result).to.include({ outcome: 'succeeded', virtualSize: 94 * MEBIBYTE });
    const { size, blocks } = await stat(diskImage);
    expect([size, blocks]).to.deep.equal([94 * MEBIBYTE, 0]);
  });

  it('allocates everything where preallocation is asked for', async () => {
    const target = { preallocation: true };
    const blank = await importInPod(directory, { source: { type: 'blank' }, target });
    expect(blank.result).to.include({ outcome: 'succeeded', preallocated: true });
    expect((await stat(blank.diskImage)).blocks * 512).to.be.at.least(94 * MEBIBYTE);
    const imported = await importInPod(directory, { source: { url: `${url}/disk.qcow2` }, target });
    expect(imported.result).to.include({ outcome: 'succeeded', preallocated: true });
    expect((await stat(imported.diskImage)).blocks * 512).to.be.at.least(94 * MEBIBYTE);
    expect(await sameDisk(imported.diskImage, raw)).to.equal(true);
  });

  it('takes the place of what an earlier attempt left', async () => {
    const stale = async (diskImage: string): Promise<void> => {
      await writeFile(diskImage, noise('stale', 10 * MEBIBYTE));
    };
    const { result, diskImage } = await importInPod(directory, { source: { url: `${url}/disk.img` }, prepare: stale });
    expect(result.outcome).to.equal('succeeded');
    expect(await sameDisk(diskImage, raw)).to.equal(true);
  });

  describe('archives', () => {
    it('unpacks a compressed tar', async () => {
      const content = join(directory, 'content');
      await mkdir(join(content, 'folder'), { recursive: true });
      await writeFile(join(content, 'folder', 'file'), 'hello');
      await run('tar', ['-C', content, '-czf', join(root, 'archive.tar.gz'), '.']);
      const target = { contentType: 'archive' as const };
      const { result, volume } = await importInPod(directory, { source: { url: `${url}/archive.tar.gz` }, target });
      expect(result.outcome).to.equal('succeeded');
      expect(await readFile(join(volume, 'folder', 'file'), 'utf8')).to.equal('hello');
    });

    it('lets no path leave the volume', async () => {
      const evil = join(directory, 'evil');
      await mkdir(evil);
      await writeFile(join(evil, 'file'), 'escaped');
      const transformed = [
        '--transform',
        's|file|../escaped|',
        '-P',
        '-C',
        evil,
        '-cf',
        join(root, 'evil.tar'),
        'file',
      ];
      await run('tar', transformed);
      const target = { contentType: 'archive' as const };
      const { volume } = await importInPod(directory, { source: { url: `${url}/evil.tar` }, target });
      expect(await readdir(join(volume, '..'))).not.to.include('escaped');
    });

    it('writes through no link that leads out of the volume', async () => {
      const outside = join(directory, 'outside');
      await mkdir(outside);
      await writeFile(join(outside, 'secret'), 'untouched');
      const archive = pack();
      archive.entry({ name: 'absolute', type: 'symlink', linkname: outside });
      archive.entry({ name: 'absolute/through-absolute' }, 'escaped');
      archive.entry({ name: 'relative', type: 'symlink', linkname: '../../outside' });
      archive.entry({ name: 'relative/through-relative' }, 'escaped');
      archive.entry({ name: 'hard', type: 'link', linkname: join(outside, 'secret') });
      archive.entry({ name: 'hard' }, 'escaped');
      archive.entry({ name: join(outside, 'by-its-path') }, 'escaped');
      archive.finalize();
      await writeFile(join(root, 'links.tar'), await buffer(archive));
      await importInPod(directory, { source: { url: `${url}/links.tar` }, target: { contentType: 'archive' } });
      expect(await readdir(outside)).to.deep.equal(['secret']);
      expect(await readFile(join(outside, 'secret'), 'utf8')).to.equal('untouched');
    });

    it('does not take a disk for an archive, nor half an archive for a whole one', async () => {
      const target = { contentType: 'archive' as const };
      const disk = await importInPod(directory, { source: { url: `${url}/disk.img` }, target });
      expect(disk.result).to.include({ permanent: true, code: 'NotAnImage' });
      await run('tar', ['-C', root, '-cf', join(root, 'whole.tar'), 'disk.qcow2']);
      await writeFile(join(root, 'half.tar'), (await readFile(join(root, 'whole.tar'))).subarray(0, 2 * MEBIBYTE));
      const half = await importInPod(directory, { source: { url: `${url}/half.tar` }, target });
      expect(half.result).to.include({ permanent: true, code: 'TruncatedImage' });
      expect(await readdir(half.volume)).to.deep.equal([]);
    });
  });

  describe('block devices', () => {
    let backing: string;
    let blockDevice: string;
    const target = { volumeMode: 'Block' as const, filesystemOverhead: 0, capacity: 80 * MEBIBYTE };

    before(async function () {
      if (process.getuid?.() !== 0) this.skip();
      backing = join(directory, 'backing');
      await writeFile(backing, Buffer.alloc(80 * MEBIBYTE, 0xaa));
      const { stdout } = await run('losetup', ['--find', '--show', backing]).catch(() => ({ stdout: '' }));
      blockDevice = stdout.trim();
      if (blockDevice === '') this.skip();
    });

    after(async () => {
      if (blockDevice) await run('losetup', ['--detach', blockDevice]);
    });

    beforeEach(async () => {
      const device = await open(blockDevice, 'r+');
      await device.write(Buffer.alloc(80 * MEBIBYTE, 0xaa), 0, 80 * MEBIBYTE, 0);
      await device.sync();
      await device.close();
    });

    for (const name of ['disk.img', 'disk.qcow2', 'disk.vmdk', 'disk.qed']) {
      for (const preallocation of [false, true]) {
        const kind = preallocation ? 'and keeps it allocated' : 'and leaves holes';
        it(`writes ${name}, lets nothing stale show through ${kind}`, async () => {
          const options = { target: { ...target, preallocation }, settings: { blockDevice } };
          const { result } = await importInPod(directory, { source: { url: `${url}/${name}` }, ...options });
          expect(result).to.include({ outcome: 'succeeded', virtualSize: 64 * MEBIBYTE, preallocated: preallocation });
          expect(await sameDisk(blockDevice, raw)).to.equal(true);
          if (!preallocation) expect((await stat(backing)).blocks * 512).to.be.lessThan(8 * MEBIBYTE);
        });
      }
    }

    it('reads it, too', async () => {
      const source = new FileSource(blockDevice, new Progress());
      const { size, bytes } = await source.open();
      expect(size).to.equal(80 * MEBIBYTE);
      expect((await bytes.next()).value).to.have.property('0', 0xaa);
      expect(await source.openRanges()).to.include({ size });
      await source.close();
    });

    it('blanks the device', async () => {
      const blank = { source: { type: 'blank' as const }, target, settings: { blockDevice } };
      const { result } = await importInPod(directory, blank);
      expect(result).to.include({ outcome: 'succeeded', virtualSize: 80 * MEBIBYTE });
      expect((await readFile(blockDevice)).equals(Buffer.alloc(80 * MEBIBYTE))).to.equal(true);
    });

    it('leaves nothing of an image whose checksum is wrong', async () => {
      const source = { url: `${url}/disk.img`, checksum: `md5:${'0'.repeat(32)}` };
      const { result } = await importInPod(directory, { source, target, settings: { blockDevice } });
      expect(result).to.include({ permanent: true, code: 'ChecksumMismatch' });
      expect((await readFile(blockDevice)).equals(Buffer.alloc(80 * MEBIBYTE))).to.equal(true);
    });

    it('refuses what is larger than the device', async () => {
      await run('truncate', ['-s', '81M', join(root, 'large.img')]);
      const source = { url: `${url}/large.img` };
      const { result } = await importInPod(directory, { source, target, settings: { blockDevice } });
      expect(result).to.include({ permanent: true, code: 'ImageTooLarge' });
    });
  });
});
