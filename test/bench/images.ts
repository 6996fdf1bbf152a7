import { rmSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Log, run, tellingTime } from '../cluster/commands.ts';
import { cacheFolder } from '../cluster/folders.ts';
import { withLock } from '../cluster/lock.ts';
import { type DiskData, writeDiskOf } from '../support/disk-data.ts';
import { atEnd } from './ending.ts';

/** Raise it when the images are made differently. */
const RECIPE = 1;
const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;
/** What the size of a disk that is full is a multiple of, in bytes. */
const FULL_UNIT = 4 * MEBIBYTE;

/** How large the disk is, in bytes. */
export interface DiskDimensions {
  readonly virtualSize: number;
  /** Of files in its file system, about. */
  readonly data: number;
}

/** What a disk is full of: files in a file system, with holes between them, or nothing but one kind of data. */
export type BenchData = 'files' | DiskData;

export const wholeDisk: DiskDimensions = { virtualSize: 8 * GIBIBYTE, data: 1400 * MEBIBYTE };
export const smallDisk: DiskDimensions = { virtualSize: GIBIBYTE, data: 150 * MEBIBYTE };

type Recipe = (images: BenchImages, path: string) => Promise<unknown>;

const shellIn = (folder: string, script: string, ...parameters: string[]) =>
  run('bash', ['-euo', 'pipefail', '-c', script, 'bash', ...parameters], { cwd: folder });
const shell = (script: string, ...parameters: string[]) => shellIn('/', script, ...parameters);
const fromRaw =
  (script: string): Recipe =>
  async (images, path) =>
    shell(script, await images.path('disk.img'), path);
const converted = (...options: string[]): Recipe => fromRaw(`qemu-img convert -f raw ${options.join(' ')} "$1" "$2"`);

/** How each file is made. */
const recipes = {
  'disk.img': makeDisk,
  'disk.zlib.qcow2': converted('-c', '-O', 'qcow2'),
  'disk.4k.qcow2': converted('-c', '-O', 'qcow2', '-o', 'cluster_size=4k'),
  'disk.zstd.qcow2': converted('-c', '-O', 'qcow2', '-o', 'compression_type=zstd'),
  'disk.qcow2': converted('-O', 'qcow2'),
  'disk.img.gz': fromRaw('gzip <"$1" >"$2"'),
  'disk.img.zst': fromRaw('zstd --quiet -T0 <"$1" >"$2"'),
  'disk.img.xz': fromRaw('xz -T0 <"$1" >"$2"'),
  'disk.vmdk': converted('-O', 'vmdk'),
  'disk.vhd': converted('-O', 'vpc', '-o', 'force_size=on'),
  'disk.vhdx': converted('-O', 'vhdx'),
  'disk.vdi': converted('-O', 'vdi'),
  'disk.stream.vmdk': converted('-O', 'vmdk', '-o', 'subformat=streamOptimized'),
  'appliance.ova': makeAppliance,
} satisfies Record<string, Recipe>;

export type ImageName = keyof typeof recipes;

/** With a folder for each disk. */
export function imagesFolder(): string {
  return join(cacheFolder(), 'bench-images');
}

/** One disk in the forms that images are published in; each is made when it is first asked for, and kept. */
export class BenchImages {
  readonly dimensions: DiskDimensions;
  readonly folder: string;
  readonly #kind: BenchData;
  readonly #log: Log;

  /**
   * @param dimensions of a disk of files
   * @param kind of others, which are full, the size is that of these files
   */
  constructor(dimensions: DiskDimensions, kind: BenchData, log: Log) {
    const { virtualSize, data } = dimensions;
    const isFull = kind !== 'files';
    this.dimensions = isFull ? { virtualSize: Math.ceil(data / FULL_UNIT) * FULL_UNIT, data } : dimensions;
    const suffix = isFull ? `-${kind}` : '';
    this.folder = join(imagesFolder(), `${RECIPE}-${virtualSize / MEBIBYTE}-${data / MEBIBYTE}${suffix}`);
    this.#kind = kind;
    this.#log = log;
  }

  get kind(): BenchData {
    return this.#kind;
  }

  /** The path of a file, once it is there. */
  async path(name: ImageName): Promise<string> {
    const path = join(this.folder, name);
    await this.#once(path, (unfinished) => this.#telling(name, () => recipes[name](this, unfinished)));
    return path;
  }

  /** The path of a layer of a container image, compressed by gzip, that holds a file as /disk/disk.img. */
  async layer(name: ImageName): Promise<string> {
    const path = join(this.folder, `${name}.layer.tar.gz`);
    const disk = await this.path(name);
    const script =
      'mkdir disk; ln "$1" disk/disk.img; tar --sort=name --mtime=@0 --owner=107 --group=107 -c disk | gzip >"$2"';
    await this.#once(path, (unfinished) =>
      this.#telling(basename(path), () => shellIn(dirname(unfinished), script, disk, unfinished)),
    );
    return path;
  }

  /** Bytes of the raw disk that are not holes. */
  async data(): Promise<number> {
    return (await stat(await this.path('disk.img'))).blocks * 512;
  }

  async #telling(name: string, make: () => Promise<unknown>): Promise<void> {
    this.#log(`making ${name}`);
    await tellingTime(this.#log, () => `making ${name}`, make);
  }

  async #once(path: string, make: (unfinished: string) => Promise<void>): Promise<void> {
    if (await exists(path)) return;
    await mkdir(this.folder, { recursive: true });
    // Those that are made of others ask for them first, so a lock for each cannot be a circle.
    await withLock(join(cacheFolder(), 'locks', `bench-${basename(path)}`), async () => {
      if (await exists(path)) return;
      const unfinished = await mkdtemp(join(this.folder, '.unfinished-'));
      atEnd(() => rmSync(unfinished, { recursive: true, force: true }));
      try {
        await make(join(unfinished, basename(path)));
        await rename(join(unfinished, basename(path)), path);
      } finally {
        await rm(unfinished, { recursive: true, force: true });
      }
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function makeDisk({ kind, dimensions }: BenchImages, path: string): Promise<void> {
  if (kind === 'files') await makeFileSystem(path, dimensions);
  else await writeDiskOf(kind, path, dimensions.virtualSize);
}

/** An ext4 file system with programs, libraries and texts of this machine. */
async function makeFileSystem(path: string, { virtualSize, data }: DiskDimensions): Promise<void> {
  const root = join(dirname(path), 'root');
  let missing = data;
  for (const folder of ['/usr/bin', '/usr/lib', '/usr/share', '/usr/include', '/usr/src']) {
    missing -= await copySome(folder, join(root, folder), missing);
  }
  if (missing > data / 10) throw new Error('/usr has too little data for a disk to measure with');
  await writeFile(path, '');
  await truncate(path, virtualSize);
  await run('mkfs.ext4', ['-q', '-F', '-d', root, path]);
  // What mkfs wrote as zeros is to be a hole.
  await run('fallocate', ['--dig-holes', path]);
}

/** Copies regular files until they are `limit` bytes; returns how many they were. */
async function copySome(from: string, to: string, limit: number): Promise<number> {
  let copied = 0;
  const entries = await readdir(from, { withFileTypes: true }).catch(() => []);
  await mkdir(to, { recursive: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (copied >= limit) break;
    const source = join(from, entry.name);
    if (entry.isDirectory()) copied += await copySome(source, join(to, entry.name), limit - copied);
    if (!entry.isFile()) continue;
    const { size } = await stat(source);
    if (size > limit - copied) continue;
    await cp(source, join(to, entry.name));
    copied += size;
  }
  return copied;
}

/** An OVA (DSP0243): a tar of the description, its checksums, and the disk. */
async function makeAppliance(images: BenchImages, path: string): Promise<void> {
  const folder = dirname(path);
  const disk = await images.path('disk.stream.vmdk');
  const content =
    `<References><File ovf:href="${basename(disk)}" ovf:id="file1"/></References>` +
    '<DiskSection><Disk ovf:diskId="disk1" ovf:fileRef="file1"/></DiskSection>';
  const namespaces =
    'xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"';
  await writeFile(join(folder, 'disk.ovf'), `<?xml version="1.0"?>\n<Envelope ${namespaces}>${content}</Envelope>\n`);
  await shellIn(
    folder,
    'ln "$1" .; for each in disk.ovf "${1##*/}"; do ' +
      'echo "SHA256($each)= $(sha256sum <"$each" | cut -d" " -f1)"; done >disk.mf; ' +
      'tar --format=ustar -cf "$2" disk.ovf disk.mf "${1##*/}"',
    disk,
    path,
  );
}
