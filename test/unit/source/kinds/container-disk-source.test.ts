import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Progress } from '../../../../src/base/progress.ts';
import { ContainerDiskSource } from '../../../../src/source/kinds/container-disk-source.ts';
import { streamOptimizedVmdk } from '../../../support/stream-optimized-vmdk.ts';
import { collect } from '../../base/streams.ts';

const vmdk = streamOptimizedVmdk(Buffer.alloc(4096, 'vm'), { grainSize: 4096, entries: 16 });
const raw = Buffer.alloc(128 * 1024 + 1, 'disk\0');

describe('a container disk whose image is unpacked already', () => {
  let root: string;

  const write = async (files: Record<string, Buffer | string>): Promise<void> => {
    for (const [name, content] of Object.entries(files)) await writeFile(join(root, 'disk', name), content);
  };
  const read = async (): Promise<Buffer> => {
    const progress = new Progress();
    const source = new ContainerDiskSource({ root, environment: [], location: 'image' }, progress);
    try {
      const content = await collect((await source.open()).bytes);
      expect(progress.counters.bytesRead).to.equal(content.length);
      return content;
    } finally {
      await source.close();
    }
  };

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'diskpress-container-disk-'));
    await mkdir(join(root, 'disk'));
  });

  afterEach(async () => {
    await rm(root, { recursive: true, force: true });
  });

  it('is the file that is certainly a disk, or else the one that may be, or else the first', async () => {
    await write({ README: 'Boot it.\n' });
    expect((await read()).toString()).to.equal('Boot it.\n');
    await write({ 'm.bin': raw });
    expect(await read()).to.deep.equal(raw);
    await write({ 'z.vmdk': vmdk });
    expect(await read()).to.deep.equal(vmdk);
  });

  it('is missing in an image from which a machine is installed, which is said', async () => {
    await mkdir(join(root, 'usr/lib/bootc'), { recursive: true });
    const failure = await read().catch((reason: unknown) => reason);
    expect(failure).to.have.property('code', 'DiskNotFound');
    expect((failure as Error).message).to.match(/it is a bootable container.* bootc install to-disk/);
  });

  it('is not where a symbolic link leads, which is named', async () => {
    await symlink('../images/a', join(root, 'disk', 'link.img'));
    const failure = await read().catch((reason: unknown) => reason);
    expect(failure).to.have.property('code', 'DiskNotFound');
    expect((failure as Error).message).to.match(/\/disk\/link.img is a symbolic link/);
  });
});
