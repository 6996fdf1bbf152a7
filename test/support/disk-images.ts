import { createCipheriv, createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from '../cluster/commands.ts';
import { cacheFolder } from '../cluster/folders.ts';
import { withLock } from '../cluster/lock.ts';

/** Raise it when the images are made differently. */
const RECIPE = 1;

const MEBIBYTE = 2 ** 20;
const VIRTUAL_SIZE = 128 * MEBIBYTE;
const DATA = 20 * MEBIBYTE;

/** One disk of a virtual machine, in the forms that images are published in. */
export interface DiskImages {
  /** The folder with the files below. */
  readonly folder: string;
  /** Of the raw disk: `sha256` of its first `virtualSize` bytes. */
  readonly sha256: string;
  /** Bytes. */
  readonly virtualSize: number;
}

/** Names of the files, all of one disk but for the last two. */
export const diskFile = {
  raw: 'disk.img',
  rawGzip: 'disk.img.gz',
  rawXz: 'disk.img.xz',
  rawZstd: 'disk.img.zst',
  qcow2: 'disk.qcow2',
  qcow2Compressed: 'disk.compressed.qcow2',
  qcow2Gzip: 'disk.qcow2.gz',
  vmdk: 'disk.vmdk',
  /** An empty qcow2 disk of 100 GiB. */
  large: 'large.qcow2',
  /** A web page. */
  page: 'page.html',
} as const;

/**
 * Makes the images, or finds those of an earlier run: an ext4 file system of 128 MiB with 20 MiB of incompressible
 * data, text, and holes.
 */
export async function diskImages(): Promise<DiskImages> {
  const parent = join(cacheFolder(), 'disk-images');
  const folder = join(parent, `${RECIPE}`);
  await mkdir(parent, { recursive: true });
  return withLock(join(cacheFolder(), 'locks', 'disk-images'), async () => {
    const description = join(folder, 'description.json');
    const found = await readFile(description, 'utf8').catch(() => undefined);
    if (found !== undefined) return { ...(JSON.parse(found) as Omit<DiskImages, 'folder'>), folder };
    const unfinished = await mkdtemp(join(parent, '.unfinished-'));
    try {
      const sha256 = await makeAll(unfinished);
      await writeFile(join(unfinished, 'description.json'), JSON.stringify({ sha256, virtualSize: VIRTUAL_SIZE }));
      await rm(folder, { recursive: true, force: true });
      await rename(unfinished, folder);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
    return { ...(JSON.parse(await readFile(description, 'utf8')) as Omit<DiskImages, 'folder'>), folder };
  });
}

async function makeAll(folder: string): Promise<string> {
  const at = (name: string) => join(folder, name);
  const raw = at(diskFile.raw);
  await makeFileSystem(folder, raw);
  const convert = (name: string, ...options: string[]) =>
    run('qemu-img', ['convert', '-f', 'raw', ...options, raw, at(name)]);
  await convert(diskFile.qcow2, '-O', 'qcow2');
  await convert(diskFile.qcow2Compressed, '-O', 'qcow2', '-c');
  await convert(diskFile.vmdk, '-O', 'vmdk');
  await run('gzip', ['--keep', '-1', raw]);
  await run('gzip', ['--keep', '-1', at(diskFile.qcow2)]);
  await run('xz', ['--keep', '-0', raw]);
  await run('zstd', ['--quiet', '-1', raw, '-o', at(diskFile.rawZstd)]);
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', at(diskFile.large), '100G']);
  await writeFile(at(diskFile.page), '<!DOCTYPE html>\n<title>Downloads</title>\n<p>Choose an image.</p>\n');
  const hash = createHash('sha256');
  await pipeline(createReadStream(raw), hash);
  return hash.digest('hex');
}

async function makeFileSystem(folder: string, raw: string): Promise<void> {
  const root = join(folder, 'root');
  await mkdir(join(root, 'etc'), { recursive: true });
  await writeFile(join(root, 'etc/hostname'), 'golden\n');
  await writeFile(join(root, 'etc/motd'), 'Made by the tests of Diskpress.\n'.repeat(1000));
  await writeFile(join(root, 'data'), incompressible(DATA));
  await writeFile(raw, '');
  await truncate(raw, VIRTUAL_SIZE);
  await run('mkfs.ext4', ['-q', '-F', '-L', 'golden', '-d', root, raw]);
  await rm(root, { recursive: true });
}

/** The same bytes each time: zeros, encrypted with a fixed key. */
function incompressible(length: number): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16)).update(Buffer.alloc(length));
}
