import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../cluster/commands.ts';
import { dynamicVhd } from '../support/dynamic-vhd.ts';
import { qcowImage } from '../support/qcow-image.ts';
import { sparseVmdk } from '../support/sparse-vmdk.ts';
import { streamOptimizedVmdk } from '../support/stream-optimized-vmdk.ts';
import { vdiImage } from '../support/vdi-image.ts';
import { vhdxImage } from '../support/vhdx-image.ts';
import { makeCloneSeeds } from './subjects/clones.ts';
import { httpAnswers } from './subjects/http-answers.ts';
import { makeLayerSeeds } from './subjects/layers.ts';
import { registryAnswers } from './subjects/registry-answers.ts';
import { textSeeds } from './subjects/texts.ts';

export const formats = [
  'qcow2',
  'qcow',
  'vmdk',
  'vdi',
  'vhd',
  'vhdx',
  'packed',
  'other',
  'text',
  'layer',
  'clone',
  'http',
  'registry',
] as const;
export type Format = (typeof formats)[number];

export interface SeedImage {
  format: Format;
  bytes: Buffer;
}

const SMALL = 24 * 1024;

const qcow2Options = [
  ['-o', 'cluster_size=512'],
  ['-o', 'cluster_size=512,compat=0.10'],
  ['-c', '-o', 'cluster_size=512'],
  ['-c', '-o', 'cluster_size=4k,compat=0.10'],
  ['-c', '-o', 'cluster_size=4k,compression_type=zstd'],
  ['-o', 'cluster_size=4k,lazy_refcounts=on'],
  ['-o', 'cluster_size=512,preallocation=full'],
  ['-o', 'cluster_size=16k,extended_l2=on'],
  ['-c', '-o', 'cluster_size=16k,extended_l2=on'],
];

/**
 * Small images of every kind that is decoded here, as qemu-img and the usual tools make them, and whatever else comes
 * from outside.
 */
export async function makeSeedImages(): Promise<SeedImage[]> {
  const folder = await mkdtemp(join(tmpdir(), 'diskpress-fuzz-'));
  try {
    return [
      ...(await makeIn(folder)),
      ...textSeeds.map((bytes) => ({ format: 'text' as const, bytes })),
      ...(await makeLayerSeeds()).map((bytes) => ({ format: 'layer' as const, bytes })),
      ...(await makeCloneSeeds()).map((bytes) => ({ format: 'clone' as const, bytes })),
      ...httpAnswers.map((text) => ({ format: 'http' as const, bytes: Buffer.from(text, 'latin1') })),
      ...registryAnswers.map((text) => ({ format: 'registry' as const, bytes: Buffer.from(text, 'latin1') })),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function makeIn(folder: string): Promise<SeedImage[]> {
  const images: SeedImage[] = [];
  const at = (name: string): string => join(folder, name);
  const add = async (format: Format, name: string): Promise<void> => {
    images.push({ format, bytes: await readFile(at(name)) });
  };
  const disk = smallDisk();
  await writeFile(at('disk'), disk);
  const convert = (name: string, format: string, ...options: string[]): Promise<string> =>
    run('qemu-img', ['convert', '-f', 'raw', '-O', format, ...options, at('disk'), at(name)]);
  for (const [index, options] of qcow2Options.entries()) {
    await convert(`${index}.qcow2`, 'qcow2', ...options);
    await add('qcow2', `${index}.qcow2`);
  }
  await convert('guest.qcow2', 'qcow2', '-o', 'cluster_size=512');
  await run('qemu-img', ['snapshot', '-c', 'one', at('guest.qcow2')]);
  await run('qemu-io', ['-f', 'qcow2', '-c', 'write -P 7 3k 5k', '-c', 'write -z 9k 1k', at('guest.qcow2')]);
  await run('qemu-img', ['snapshot', '-d', 'one', at('guest.qcow2')]);
  await add('qcow2', 'guest.qcow2');
  await convert('disk.qcow', 'qcow');
  await add('qcow', 'disk.qcow');
  images.push({
    format: 'qcow',
    bytes: qcowImage(disk, { clusterBits: 9, l2Bits: 6, isCompressed: (cluster) => cluster % 2 === 0 }),
  });
  images.push({ format: 'qcow', bytes: qcowImage(disk, { clusterBits: 9, l2Bits: 6, order: [9, 3, 4, 1, 30] }) });
  await convert('stream.vmdk', 'vmdk', '-o', 'subformat=streamOptimized');
  await add('vmdk', 'stream.vmdk');
  images.push({ format: 'vmdk', bytes: streamOptimizedVmdk(disk, { grainSize: 4096, entries: 4 }) });
  images.push({ format: 'vmdk', bytes: sparseVmdk(disk, { grainSize: 4096, entries: 4 }) });
  images.push({ format: 'vmdk', bytes: sparseVmdk(disk, { grainSize: 1024, entries: 16, tablesLast: true }) });
  images.push({ format: 'vdi', bytes: vdiImage(disk, { blockSize: 4096 }) });
  images.push({ format: 'vdi', bytes: vdiImage(disk, { blockSize: 4096, order: [6, 2, 0, 1] }) });
  images.push({ format: 'vhd', bytes: dynamicVhd(disk, { blockSize: 4096 }) });
  images.push({ format: 'vhd', bytes: dynamicVhd(disk, { blockSize: 512, creator: 'vpc ' }) });
  images.push({ format: 'vhdx', bytes: vhdxImage(disk, { blockSize: 1024 * 1024 }) });
  await addPacked(folder, add);
  for (const format of ['vpc', 'vhdx', 'vdi', 'qed', 'vmdk']) {
    await convert(`other.${format}`, format);
    images.push({ format: 'other', bytes: (await readFile(at(`other.${format}`))).subarray(0, 128 * 1024) });
  }
  return images;
}

async function addPacked(folder: string, add: (format: Format, name: string) => Promise<void>): Promise<void> {
  const inFolder = (script: string): Promise<string> => run('sh', ['-ec', script], { cwd: folder });
  await mkdir(join(folder, 'ova'));
  const file = '<File ovf:href="2.qcow2" ovf:id="f"/>';
  await writeFile(join(folder, 'vm.ovf'), `<Envelope>${file}<Disk ovf:fileRef="f" ovf:diskId="d"/></Envelope>`);
  await inFolder(`
    sha256sum --tag vm.ovf 2.qcow2 > vm.mf
    tar --mtime=@0 -cf vm.ova vm.ovf 2.qcow2 vm.mf
    tar --mtime=@0 -H pax -cf pax.tar 2.qcow2
    tar --mtime=@0 -H gnu -cf gnu.tar 2.qcow2
    gzip -kn 2.qcow2
    zstd -q 2.qcow2 -o 2.qcow2.zst
    zstd -q --zstd=wlog=10 disk -o disk.zst
    xz -k --check=crc64 2.qcow2
    xz -T2 --block-size=4096 <disk >blocks.xz
    { xz -T1 --block-size=4096 --check=sha256 <disk; xz -T2 --block-size=8192 --check=crc32 <disk; } >streams.xz
    cat 2.qcow2.gz 2.qcow2.gz > twice.gz
    tar --mtime=@0 -c 2.qcow2.zst vm.ovf | gzip -n > nested.tgz`);
  for (const name of [
    'vm.ova',
    'pax.tar',
    'gnu.tar',
    '2.qcow2.gz',
    '2.qcow2.zst',
    'disk.zst',
    '2.qcow2.xz',
    'blocks.xz',
    'streams.xz',
    'twice.gz',
    'nested.tgz',
  ]) {
    await add('packed', name);
  }
}

/** Data, text, holes, and a size that is no multiple of a cluster. */
function smallDisk(): Buffer {
  const disk = Buffer.alloc(SMALL + 512);
  for (let at = 0; at < 3000; at += 1) disk[at] = (at * at * 31) >>> 3;
  disk.fill('text ', 8000, 12_000);
  disk.fill('end', SMALL);
  return disk;
}
