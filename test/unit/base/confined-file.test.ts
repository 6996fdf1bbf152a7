import { execFile } from 'node:child_process';
import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { openConfined } from '../../../src/base/confined-file.ts';
import { TransferError } from '../../../src/base/errors.ts';
import { rejection } from '../../support/rejection.ts';

describe('a file that has to be in a folder', () => {
  let parent: string;
  let folder: string;

  const read = async (path: string): Promise<string> => {
    const file = await openConfined(folder, path);
    try {
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  };
  const expectRefused = async (path: string, words: RegExp): Promise<void> => {
    const error = await rejection(openConfined(folder, path));
    expect(error, path).to.be.an.instanceOf(TransferError);
    expect(error).to.include({ code: 'SourceNotReadable', permanent: true });
    expect((error as Error).message).to.match(words);
  };

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'diskpress-confined-'));
    folder = join(parent, 'sources');
    await mkdir(join(folder, 'golden'), { recursive: true });
    await writeFile(join(folder, 'golden', 'fedora'), 'image');
    await mkdir(join(parent, 'sources-of-others'));
    for (const outside of ['secret', 'sources-of-others/secret']) await writeFile(join(parent, outside), 'secret');
  });

  afterEach(() => rm(parent, { recursive: true, force: true }));

  it('is read, by a path from the folder or a whole one', async () => {
    expect(await read('golden/fedora')).to.equal('image');
    expect(await read('golden/../golden/./fedora')).to.equal('image');
    expect(await read(join(folder, 'golden', 'fedora'))).to.equal('image');
  });

  it('is found through links within the folder, and where the folder itself is behind one', async () => {
    await symlink('golden/fedora', join(folder, 'latest'));
    await symlink('golden', join(folder, 'stable'));
    expect(await read('latest')).to.equal('image');
    expect(await read('stable/fedora')).to.equal('image');
    await symlink(folder, join(parent, 'link'));
    const file = await openConfined(join(parent, 'link'), 'latest');
    await file.close();
  });

  it('is not found out of the folder, whether something is there or not', async () => {
    for (const path of [
      ...['../secret', '../missing', 'golden/../../secret', '../sources-of-others/secret', '/etc/passwd', '/missing'],
      ...['', '.', '..', '/', join(parent, 'secret'), `${folder}-of-others/secret`],
    ])
      await expectRefused(path, /only what is in it can be imported/);
  });

  it('is not found through a link that leads out of the folder', async () => {
    await symlink('../secret', join(folder, 'relative'));
    await symlink('/etc/passwd', join(folder, 'absolute'));
    await symlink('..', join(folder, 'up'));
    await symlink('relative', join(folder, 'golden', 'twice'));
    await symlink('/proc/self', join(folder, 'process'));
    for (const path of ['relative', 'absolute', 'up/secret', 'process/environ', 'process/root/etc/passwd'])
      await expectRefused(path, /leads out of that folder/);
    await expectRefused('golden/twice', /is there such a file/);
  });

  it('is a regular file, and a pipe is not waited for', async () => {
    await promisify(execFile)('mkfifo', [join(folder, 'pipe')]);
    for (const path of ['golden', 'pipe']) await expectRefused(path, /not a regular file/);
    await link(join(folder, 'golden', 'fedora'), join(folder, 'second-name'));
    expect(await read('second-name')).to.equal('image');
  });

  it('says what is missing', async () => {
    await expectRefused('golden/debian', /golden\/debian \(ENOENT\): is there such a file below .*sources\?/);
    await expectRefused('golden/fedora/disk', /ENOTDIR/);
    await expectRefused('fedora\0.txt', /not a regular file/);
    await rm(folder, { recursive: true });
    await expectRefused('golden/fedora', /ENOENT/);
  });

  it('gives nobody’s secret for any path', async () => {
    const part = fc.constantFrom('..', '.', '', 'golden', 'up', 'secret', 'sources', 'fedora', 'sources-of-others');
    await symlink('..', join(folder, 'up'));
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 6 }), fc.boolean(), async (parts, isAbsolute) => {
        const path = `${isAbsolute ? `${folder}/` : ''}${parts.join('/')}`;
        const content = await read(path).catch((error: unknown) => error);
        if (!(content instanceof TransferError)) expect(content, path).to.equal('image');
      }),
    );
  });
});
