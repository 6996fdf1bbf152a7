import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { PassedBefore } from '../../checks/passed-before.ts';
import { run } from '../../cluster/commands.ts';

describe('what a tree has passed before', () => {
  const cache = process.env['XDG_CACHE_HOME'];
  let folder: string;
  let tree: string;
  const write = (text: string) => writeFile(join(tree, 'source.ts'), text);

  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'passed-')));
    process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
    tree = join(folder, 'tree');
    await run('git', ['init', '--quiet', tree]);
    await write('as it was');
  });

  afterEach(async () => {
    if (cache === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = cache;
    await rm(folder, { recursive: true });
  });

  it('is known of the same content, and of no other', async () => {
    await (await PassedBefore.create(tree)).add('is sound');
    const again = await PassedBefore.create(tree);
    expect([again.has('is sound'), again.has('is formatted')]).to.deep.equal([true, false]);
    await write('another');
    expect((await PassedBefore.create(tree)).has('is sound')).to.equal(false);
  });

  it('is not what was changed while it was checked, neither before nor after', async () => {
    const before = await PassedBefore.create(tree);
    await write('mended meanwhile');
    await before.add('is sound');
    expect((await PassedBefore.create(tree)).has('is sound')).to.equal(false);
    await write('as it was');
    expect((await PassedBefore.create(tree)).has('is sound')).to.equal(false);
  });
});
