import { mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Progress } from '../../../src/base/progress.ts';
import { FileSink } from '../../../src/sink/file-sink.ts';
import { convertFile } from '../../../src/transfer/import/convert.ts';
import { run } from '../support/processes.ts';

describe('an image that qemu-img converts', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-convert-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('is the one that was opened, and so is its target, whatever has come to be under their paths', async () => {
    const at = (name: string): string => join(directory, name);
    const disk = Buffer.alloc(256 * 1024, 'disk');
    await writeFile(at('disk'), disk);
    await writeFile(at('victim'), 'victim');
    await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', at('disk'), at('image')]);
    const progress = new Progress();

    class SwappedSink extends FileSink {
      override async begin(virtualSize: number | undefined): Promise<void> {
        await super.begin(virtualSize);
        for (const name of ['target', 'image']) {
          await rename(at(name), at(`${name}.kept`));
          await symlink(at('victim'), at(name));
        }
      }
    }

    const sink = new SwappedSink({ path: at('target'), preallocation: false }, progress);
    const size = await convertFile(at('image'), { format: 'qcow2', sink, progress });
    await sink.finish(size);
    expect(await readFile(at('victim'), 'utf8')).to.equal('victim');
    expect((await readFile(at('target.kept'))).equals(disk)).to.equal(true);
  });
});
