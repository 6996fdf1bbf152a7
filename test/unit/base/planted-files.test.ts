import { execFileSync } from 'node:child_process';
import { link, mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Progress } from '../../../src/base/progress.ts';
import { replaceFile } from '../../../src/base/replace-file.ts';
import { FileSink } from '../../../src/sink/file-sink.ts';
import { preallocate } from '../../../src/sink/preallocate.ts';
import { FileCheckpointStore } from '../../../src/transfer/checkpoint/file-store.ts';
import { CHECKPOINT_NAME, CheckpointFile } from '../../../src/transfer/copy/copy-checkpoint.ts';
import { prepareContent } from '../../../src/transfer/copy/copy-source-volume.ts';
import { readDisk } from '../../../src/transfer/copy/disk-reader.ts';

const MEBIBYTE = 1024 * 1024;
const checkpoint = { contentId: 'a'.repeat(64), from: 65_536, durableBefore: '1' };

describe('files that somebody has planted on a volume', function () {
  // Whoever waits for a pipe waits for ever.
  this.timeout(5000);
  let directory: string;
  let volume: string;
  let elsewhere: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-planted-'));
    volume = join(directory, 'volume');
    await mkdir(volume);
    elsewhere = join(directory, 'elsewhere');
    await writeFile(elsewhere, JSON.stringify(checkpoint));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  /** What may be in the place of a file. Each leaves something at the path that is not a file of ours. */
  const plants: Record<string, (path: string) => Promise<unknown>> = {
    pipe: async (path) => execFileSync('mkfifo', [path]),
    link: (path) => symlink(elsewhere, path),
    'link to a device': (path) => symlink('/dev/zero', path),
    folder: (path) => mkdir(path),
    socket: async (path) => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(path, resolve));
      // The file goes with its server, and an ended server has none.
      await rename(path, `${path}.kept`);
      await new Promise((resolve) => server.close(resolve));
      await rename(`${path}.kept`, path);
    },
  };

  for (const [kind, plant] of Object.entries(plants)) {
    it(`are no checkpoint of an import: ${kind}`, async () => {
      const path = join(volume, 'disk.img.diskpress-checkpoint');
      await plant(path);
      const store = new FileCheckpointStore(path);
      expect(await store.load()).to.equal(undefined);
      await store.remove();
      expect(await readdir(volume)).to.have.length(kind === 'folder' ? 1 : 0);
      expect(await readFile(elsewhere, 'utf8')).to.equal(JSON.stringify(checkpoint));
    });

    it(`are replaced by a checkpoint of an import, and not written to: ${kind}`, async () => {
      const path = join(volume, 'disk.img.diskpress-checkpoint');
      await plant(path);
      await plant(`${path}.new`);
      const saved = await new FileCheckpointStore(path).save('text').catch((reason: unknown) => reason);
      if (kind === 'folder') expect(saved).to.be.instanceOf(Error);
      else expect(await readFile(path, 'utf8')).to.equal('text');
      expect(await readFile(elsewhere, 'utf8')).to.equal(JSON.stringify(checkpoint));
    });

    it(`are no checkpoint of a clone, and replaced by one: ${kind}`, async () => {
      const path = join(volume, CHECKPOINT_NAME);
      await plant(path);
      await plant(`${path}.new`);
      const file = new CheckpointFile(volume);
      expect(await file.read()).to.equal(undefined);
      await file.write(checkpoint);
      expect(await file.read()).to.deep.equal(checkpoint);
      const touched = await file.touch();
      expect((await stat(path, { bigint: true })).ctimeNs).to.equal(touched);
      await file.clear();
      expect(await readdir(volume)).to.deep.equal([]);
      expect(await readFile(elsewhere, 'utf8')).to.equal(JSON.stringify(checkpoint));
    });

    it(`are not targets of an import: ${kind}`, async () => {
      const path = join(volume, 'disk.img');
      await plant(path);
      for (const begin of [
        (sink: FileSink) => sink.begin(MEBIBYTE),
        (sink: FileSink) => sink.resume({ identity: 'inode 1' }, MEBIBYTE),
      ]) {
        const failure = await begin(new FileSink({ path, preallocation: true }, new Progress())).catch(
          (reason: unknown) => reason,
        );
        expect(failure).to.include({ code: 'TargetNotWritable', permanent: true });
      }
      expect(await readdir(volume)).to.deep.equal(['disk.img']);
      expect(await readFile(elsewhere, 'utf8')).to.equal(JSON.stringify(checkpoint));
    });

    it(`are no disk to be cloned: ${kind}`, async () => {
      const path = join(volume, 'disk.img');
      await plant(path);
      const extents = readDisk(path, { from: 0, size: MEBIBYTE }).extents[Symbol.asyncIterator]();
      expect(await extents.next().catch((reason: unknown) => reason)).to.include({ code: 'SourceNotReadable' });
      const target = { volumeMode: 'Block' as const, transfer: 'x', arrivedFiles: async () => Buffer.alloc(0) };
      const failure = await prepareContent(
        { volumeMode: 'Filesystem', directory: volume, diskImage: 'disk.img' },
        target,
      ).catch((reason: unknown) => reason);
      expect(failure).to.include({ code: 'SourceNotReadable' });
    });
  }

  it('are no checkpoint where they are too long, or say what no checkpoint says', async () => {
    const path = join(volume, CHECKPOINT_NAME);
    for (const text of [
      JSON.stringify(checkpoint).padEnd(MEBIBYTE + 1),
      JSON.stringify({ ...checkpoint, contentId: 'a\nb' }),
      JSON.stringify({ ...checkpoint, durableBefore: 'yesterday' }),
      JSON.stringify({ ...checkpoint, from: -1 }),
      JSON.stringify({ ...checkpoint, target: { identity: 'x', written: [[0.5, 1]] } }),
      JSON.stringify({ ...checkpoint, target: { identity: 'x', written: Array(10_001).fill([0, 1]) } }),
    ]) {
      await writeFile(path, text);
      expect(await new CheckpointFile(volume).read(), text.slice(0, 200)).to.equal(undefined);
    }
    const long = join(volume, 'long');
    await (await open(long, 'w')).close();
    execFileSync('truncate', ['--size=1T', long]);
    expect(await new FileCheckpointStore(long).load()).to.equal(undefined);
  });

  it('are not written to as a draft, though they be another name of a file', async () => {
    const path = join(volume, 'text');
    const other = join(volume, 'other');
    await writeFile(other, 'mine');
    await link(other, `${path}.new`);
    await replaceFile(path, 'new');
    expect(await readFile(other, 'utf8')).to.equal('mine');
    expect(await readFile(path, 'utf8')).to.equal('new');
  });

  it('are not preallocated in place of what was opened', async () => {
    const path = join(volume, 'disk.img');
    const file = await open(path, 'w+');
    try {
      await rm(path);
      await symlink(elsewhere, path);
      await preallocate(file, path, MEBIBYTE);
      expect((await file.stat()).size).to.equal(MEBIBYTE);
      expect((await file.stat()).blocks * 512).to.be.at.least(MEBIBYTE);
    } finally {
      await file.close();
    }
    expect(await readFile(elsewhere, 'utf8')).to.equal(JSON.stringify(checkpoint));
  });
});
