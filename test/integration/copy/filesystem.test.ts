import { execFileSync } from 'node:child_process';
import { mkdir, readdir, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { CloneRig, portOf } from './rig/clone-rig.ts';
import { sh, writeSparseDisk } from './rig/disks.ts';
import { describeTree, makeOddTree } from './rig/trees.ts';

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
    writeSparseDisk(disk, 64);
    const server = rig.startServer({ capacity: 101 * MEBIBYTE, filesystemOverhead: 0.055 });
    const source = rig.startSource({}, { port: await portOf(server) });

    expect(await source.result()).to.include({ outcome: 'succeeded', virtualSize: 64 * MEBIBYTE });
    expect(await server.result()).to.include({ outcome: 'succeeded', virtualSize: 95 * MEBIBYTE });
    const copy = await stat(join(rig.target, 'disk.img'));
    expect(copy.size).to.equal(95 * MEBIBYTE);
    expect(copy.blocks).to.be.within(1, (await stat(disk)).blocks + 16);
    execFileSync('cmp', ['-n', String(64 * MEBIBYTE), disk, join(rig.target, 'disk.img')]);
    expect(await readdir(rig.target)).to.deep.equal(['disk.img']);
  });

  it('keeps a disk that is as large as the claim, though new ones would leave room', async () => {
    await writeFile(join(rig.source, 'disk.img'), 'boot');
    await truncate(join(rig.source, 'disk.img'), 100 * MEBIBYTE);
    const server = rig.startServer({ capacity: 100 * MEBIBYTE, filesystemOverhead: 0.055 });
    rig.startSource({}, { port: await portOf(server) });
    expect(await server.result()).to.include({ outcome: 'succeeded', virtualSize: 100 * MEBIBYTE });
  });

  it('gets all of its storage where it is to be preallocated', async () => {
    writeSparseDisk(join(rig.source, 'disk.img'), 32);
    const server = rig.startServer({ capacity: 32 * MEBIBYTE, preallocation: true });
    rig.startSource({}, { port: await portOf(server) });
    expect(await server.result()).to.include({ outcome: 'succeeded', preallocated: true });
    expect((await stat(join(rig.target, 'disk.img'))).blocks * 512).to.be.at.least(32 * MEBIBYTE);
    execFileSync('cmp', [join(rig.source, 'disk.img'), join(rig.target, 'disk.img')]);
  });

  it('refuses a disk that does not fit before anything is copied, and both ends say why', async () => {
    writeSparseDisk(join(rig.source, 'disk.img'), 64);
    const server = rig.startServer({ capacity: 48 * MEBIBYTE });
    const source = rig.startSource({}, { port: await portOf(server) });
    for (const role of [server, source]) {
      const result = await role.result();
      expect(result).to.include({ outcome: 'failed', permanent: true, code: 'ImageTooLarge' });
      expect(result)
        .to.have.property('message')
        .that.includes(String(64 * MEBIBYTE))
        .and.includes(String(48 * MEBIBYTE));
    }
    expect(await readdir(rig.target)).to.deep.equal([]);
  });

  it('arrives exactly: odd names, links, sparse files, modes, times, attributes; nothing of before is left', async () => {
    makeOddTree(rig.source);
    await mkdir(join(rig.source, 'lost+found'), { mode: 0o700 });
    sh('mkdir -p old/read-only && touch old/read-only/file && chmod 555 old/read-only && touch disk.img', rig.target);
    sh('chown -R 107:107 .', rig.target);
    sh('mkdir lost+found && chmod 700 lost+found', rig.target);

    const server = rig.startServer({ contentType: 'archive' }, {}, { asPodUser: true });
    const source = rig.startSource({ contentType: 'archive' }, { port: await portOf(server) });
    const sent = await source.result();
    const received = await server.result();

    expect(sent.outcome).to.equal('succeeded');
    expect(received).to.include({ outcome: 'succeeded' }).and.not.have.property('virtualSize');
    expect(describeTree(rig.target)).to.equal(describeTree(rig.source));
    expect(sh('find . ! -path "./lost+found*" ! -path . ! -user 107 | wc -l', rig.target).trim()).to.equal('0');
  });

  it('carries thousands of small files', async () => {
    sh('for d in $(seq 20); do mkdir $d; for f in $(seq 150); do echo "$d $f" > $d/$f; done; done', rig.source);
    const server = rig.startServer({ contentType: 'archive' });
    const source = rig.startSource({ contentType: 'archive' }, { port: await portOf(server) });
    expect((await source.result()).outcome).to.equal('succeeded');
    expect((await server.result()).outcome).to.equal('succeeded');
    expect(describeTree(rig.target)).to.equal(describeTree(rig.source));
  });

  it('may be empty', async () => {
    const server = rig.startServer({ contentType: 'archive' });
    const source = rig.startSource({ contentType: 'archive' }, { port: await portOf(server) });
    expect((await source.result()).outcome).to.equal('succeeded');
    expect((await server.result()).outcome).to.equal('succeeded');
    expect(await readdir(rig.target)).to.deep.equal([]);
  });

  it('never follows a link that stands where the disk should be', async () => {
    const outside = join(rig.directory, 'outside');
    await writeFile(outside, 'untouched');
    await symlink(outside, join(rig.target, 'disk.img'));
    await mkdir(join(rig.source, 'disk.img'));
    const server = rig.startServer({});
    const source = rig.startSource({}, { port: await portOf(server) });
    expect(await source.result()).to.include({ outcome: 'failed', code: 'SourceNotReadable' });
    await server.kill('SIGTERM');
    expect((await stat(outside)).size).to.equal('untouched'.length);
  });
});
