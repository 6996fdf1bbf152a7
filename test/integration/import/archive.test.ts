import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { run } from '../support/processes.ts';

/** As which pods run. Root may do what they may not, and hides it. */
const POD_USER = 107;
const program = join(import.meta.dirname, '../support', 'archive-import.ts');

interface Ending {
  succeeded: boolean;
  code?: string;
  message?: string;
}

describe('importer: archives, as the user of a pod', () => {
  let directory: string;
  let content: string;
  let volume: string;

  const importAs = async (archive: string, path = process.env['PATH'] ?? ''): Promise<Ending> => {
    const command = [process.execPath, program, join(directory, archive), volume, String(POD_USER)];
    const { stdout } = await run('env', [`PATH=${path}`, ...command]);
    return JSON.parse(stdout) as Ending;
  };
  const pack = (name: string, ...parameters: string[]): Promise<unknown> =>
    run('tar', ['-cf', join(directory, name), ...parameters]);
  const modeOf = async (path: string): Promise<number> => (await lstat(join(volume, path))).mode & 0o7777;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-archive-import-'));
    await chmod(directory, 0o755);
    content = join(directory, 'content');
    await mkdir(join(content, 'shared'), { recursive: true });
    await writeFile(join(content, 'shared', 'file'), 'hello');
    await chmod(join(content, 'shared', 'file'), 0o664);
    await chmod(join(content, 'shared'), 0o777);
    await mkdir(join(content, 'read-only', 'deeper'), { recursive: true });
    await writeFile(join(content, 'read-only', 'deeper', 'file'), 'locked');
    await run('ln', [join(content, 'shared', 'file'), join(content, 'read-only', 'hard')]);
    await run('ln', ['-s', '../shared', join(content, 'read-only', 'link')]);
    await mkdir(join(content, 'read-only', 'lost+found'));
    await writeFile(join(content, 'read-only', 'lost+found', 'file'), 'not of a file system');
    for (const folder of ['read-only/lost+found', 'read-only/deeper', 'read-only'])
      await chmod(join(content, folder), 0o555);
    // As kubelet leaves a volume's root for a pod's group.
    volume = join(directory, 'volume');
    await mkdir(volume);
    await run('chown', [`0:${POD_USER}`, volume]);
    await chmod(volume, 0o2775);
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  for (const mode of [0o555, 0o700, 0o2770]) {
    it(`unpacks a whole folder, whose own mode is ${mode.toString(8)}`, async () => {
      await chmod(content, mode);
      await utimes(content, 1e9, 1e9);
      await pack('whole.tar', '-C', content, '.');
      expect(await importAs('whole.tar')).to.deep.equal({ succeeded: true });
      expect(await readFile(join(volume, 'read-only', 'deeper', 'file'), 'utf8')).to.equal('locked');
      expect(await readlink(join(volume, 'read-only', 'link'))).to.equal('../shared');
      expect((await lstat(join(volume, 'read-only', 'hard'))).ino).to.equal(
        (await lstat(join(volume, 'shared', 'file'))).ino,
      );
      expect(
        await Promise.all(['.', 'shared', 'shared/file', 'read-only', 'read-only/deeper'].map(modeOf)),
      ).to.deep.equal([0o2775, 0o777, 0o664, 0o555, 0o555]);
    });
  }

  it('unpacks what was packed by its absolute path, and the root of a file system with what mkfs left there', async () => {
    await pack('absolute.tar', '-P', '--transform', `s|^${content}/*|/|`, content);
    expect(await importAs('absolute.tar')).to.deep.equal({ succeeded: true });
    for (const folder of [content, volume]) await mkdir(join(folder, 'lost+found'), { mode: 0o700 });
    await writeFile(join(content, 'lost+found', '#12'), 'found');
    await mkdir(join(content, 'shared', 'lost+found'));
    await pack('root.tar', '-C', content, '.');
    await pack('named.tar', '-C', content, 'lost+found', 'shared');
    for (const archive of ['root.tar', 'named.tar']) {
      expect(await importAs(archive), archive).to.deep.equal({ succeeded: true });
      expect(await readdir(join(volume, 'lost+found'))).to.deep.equal([]);
      expect(await readdir(join(volume, 'shared'))).to.have.members(['file', 'lost+found']);
    }
  });

  it('takes the place of what a killed attempt left, read-only folders too', async () => {
    await pack('first.tar', '-C', content, 'read-only', 'shared');
    expect(await importAs('first.tar')).to.deep.equal({ succeeded: true });
    await pack('second.tar', '-C', content, 'shared');
    expect(await importAs('second.tar')).to.deep.equal({ succeeded: true });
    expect(await readdir(volume)).to.deep.equal(['shared']);
  });

  it('says why it failed, and leaves nothing, where the archive has read-only folders', async () => {
    // What it begins with is a warning, and not why it fails.
    await pack('bad.tar', '--format=posix', '--pax-option=SOMEBODY.key=value', '-C', content, 'read-only', 'shared');
    const bytes = await readFile(join(directory, 'bad.tar'));
    await writeFile(join(directory, 'half.tar'), bytes.subarray(0, bytes.length - 12_000));
    expect(await importAs('half.tar')).to.include({ succeeded: false, code: 'TruncatedImage' });
    expect(await readdir(volume)).to.deep.equal([]);
    await run('mknod', [join(content, 'device'), 'c', '1', '3']);
    await pack('device.tar', '--format=posix', '--pax-option=SOMEBODY.key=value', '-C', content, '.');
    const device = await importAs('device.tar');
    expect(device).to.include({ succeeded: false, code: 'InvalidImage' });
    expect(device.message).to.match(/device: Cannot mknod/);
    expect(await readdir(volume)).to.deep.equal([]);
  });

  it('does not end well where the volume cannot be synced', async () => {
    for (let index = 0; index < 20; index += 1) await writeFile(join(content, 'shared', String(index)), 'many');
    await pack('many.tar', '-C', content, 'shared');
    const programs = join(directory, 'programs');
    await mkdir(programs);
    await writeFile(join(programs, 'sync'), '#!/bin/sh\necho broken >&2\nexit 1\n', { mode: 0o755 });
    expect(await importAs('many.tar', `${programs}:${process.env['PATH']}`)).to.include({ code: 'TargetNotWritable' });
    expect(await readdir(volume)).to.deep.equal([]);
  });
});
