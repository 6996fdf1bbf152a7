import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { sanitizedPlugin } from '../../support/vddk/compiled.ts';
import { type LibraryCall, StandInLibrary } from '../../support/vddk/stand-in.ts';
import { run } from '../support/processes.ts';

const FILE = '[store] machine/disk.vmdk';

describe('vddk: the plugin, under sanitizers', function () {
  this.timeout(120_000);
  let directory: string;
  let library: StandInLibrary;
  let original: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vddk-sanitized-'));
    library = await StandInLibrary.create(directory, { password: 'secret' });
    original = await library.disk(FILE);
    // The disk ends within a chunk of allocation.
    await run('sh', [
      '-c',
      'truncate -s 67110400 "$0" && dd if=/dev/urandom of="$0" bs=1M seek=20 count=8 conv=notrunc status=none',
      original,
    ]);
  });
  after(() => rm(directory, { recursive: true, force: true }));
  beforeEach(() => library.reset());

  const copyTo = async (path: string, parameters: Record<string, string> = {}) => {
    const all = { libdir: library.folder, server: 'host', user: 'me', password: 'secret', vm: 'vm-1', file: FILE };
    const options = Object.entries({ ...all, ...parameters }).map(([name, value]) => `${name}=${value}`);
    const failed = ({ code, stderr }: { code: number; stderr: string }) => ({ status: code, stderr });
    return run(await sanitizedPlugin(), [path, ...options]).then(({ stderr }) => ({ status: 0, stderr }), failed);
  };

  it('copies a disk', async () => {
    const path = join(directory, 'copy');
    expect(await copyTo(path)).to.include({ status: 0 });
    await run('cmp', [path, original]);
  });

  it('copies a disk of which the library does not tell what is allocated', async () => {
    await library.fail('QueryAllocatedBlocks', 6);
    const path = join(directory, 'without-extents');
    expect(await copyTo(path)).to.include({ status: 0 });
    await run('cmp', [path, original]);
  });

  const calls: LibraryCall[] = ['InitEx', 'ConnectEx', 'Open', 'GetInfo', 'Read'];
  for (const call of calls) {
    it(`says so where ${call} fails`, async () => {
      await library.fail(call, 1);
      const { status, stderr } = await copyTo(join(directory, 'failed'));
      expect(stderr)
        .to.match(new RegExp(`VixDiskLib_${call}: 1: `))
        .and.not.match(/Sanitizer|runtime error/);
      expect(status).to.equal(1);
    });
  }

  it('says so where a parameter is wrong, or the library is not there', async () => {
    const wrong: Record<string, string>[] = [
      { password: 'guess' },
      { colour: 'red' },
      { file: '[store] other.vmdk' },
      { libdir: directory },
    ];
    for (const parameters of wrong) {
      const { status, stderr } = await copyTo(join(directory, 'failed'), parameters);
      expect(stderr, JSON.stringify(parameters)).to.not.match(/Sanitizer|runtime error/);
      expect(status, JSON.stringify(parameters)).to.equal(1);
    }
  });
});
