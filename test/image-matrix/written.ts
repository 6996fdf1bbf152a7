import { type DiskFormat, driverOf } from '../../src/image/formats/drivers.ts';
import { run } from '../cluster/commands.ts';
import type { MatrixImage } from './matrix-image.ts';
import { numbers } from './numbers.ts';
import { writeRaw } from './raw-disk.ts';

const MEBIBYTE = 1024 * 1024;

/** Images that a guest has written to, whose tables and data lie anywhere. */
export function* written(): Generator<MatrixImage> {
  for (const clusterSize of ['512', '4k', '64k', '2M']) {
    for (const base of ['new', 'plain', 'zlib', 'zstd', 'subclusters'] as const) {
      if (base === 'subclusters' && clusterSize.length < 3) continue;
      if (base === 'subclusters' && clusterSize === '512') continue;
      for (const history of ['writes', 'snapshots', 'deleted snapshots', 'growth'] as const) {
        yield fragmented(clusterSize, base, history);
      }
    }
  }
  const others: [format: DiskFormat, options: string[]][] = [
    ['vdi', []],
    ['vmdk', []],
    ['vmdk', ['zeroed_grain=on']],
    ['vhd', []],
    ['vhd', ['force_size=on']],
    ['vhdx', []],
    ['vhdx', ['block_size=1M']],
    ['qcow', []],
  ];
  for (const [format, options] of others) {
    for (const size of [24 * MEBIBYTE, 150 * MEBIBYTE + 512]) yield writtenTo(format, options, size);
  }
}

/** Blocks are where they were first written, in whatever order. */
function writtenTo(format: DiskFormat, options: string[], size: number): MatrixImage {
  const name = `${format} ${options.join(',')} of ${size} bytes, then writes`;
  return {
    name,
    format,
    streams: true,
    make: async (_, path) => {
      const chosen = options.length === 0 ? [] : ['-o', options.join(',')];
      await run('qemu-img', ['create', '-q', '-f', driverOf(format).qemuName, ...chosen, path, `${size}`]);
      const random = numbers(name);
      for (let session = 0; session < 3; session += 1) await write(path, random, size, format);
    },
  };
}

type Base = 'new' | 'plain' | 'zlib' | 'zstd' | 'subclusters';
type History = 'writes' | 'snapshots' | 'deleted snapshots' | 'growth';

function fragmented(clusterSize: string, base: Base, history: History): MatrixImage {
  const name = `qcow2 cluster_size=${clusterSize} ${base}, then ${history}`;
  return {
    name,
    format: 'qcow2',
    make: async (folder, path) => {
      const size = clusterSize === '512' ? 3 * MEBIBYTE : 24 * MEBIBYTE;
      await makeBase(folder, path, clusterSize, base, size);
      const random = numbers(name);
      await write(path, random, size);
      if (history !== 'writes') await run('qemu-img', ['snapshot', '-c', 'one', path]);
      await write(path, random, size);
      if (history === 'deleted snapshots') await run('qemu-img', ['snapshot', '-d', 'one', path]);
      if (history === 'growth') {
        await run('qemu-img', ['snapshot', '-d', 'one', path]);
        await run('qemu-img', ['resize', '-q', '-f', 'qcow2', path, `${size * 9}`]);
        await write(path, random, size * 9);
      }
      await write(path, random, size);
    },
  };
}

async function makeBase(folder: string, path: string, clusterSize: string, base: Base, size: number): Promise<void> {
  const options = [`cluster_size=${clusterSize}`];
  if (base === 'subclusters') options.push('extended_l2=on');
  if (base === 'zstd') options.push('compression_type=zstd');
  if (base === 'new' || base === 'subclusters') {
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', options.join(','), path, `${size}`]);
    return;
  }
  const raw = await writeRaw(folder, 'mixed', size);
  const compressed = base === 'plain' ? [] : ['-c'];
  await run('qemu-img', ['convert', '-O', 'qcow2', ...compressed, '-o', options.join(','), raw, path]);
}

/** What a guest does: writes, zeros and discards, of all lengths, anywhere. */
async function write(path: string, random: () => number, size: number, format: DiskFormat = 'qcow2'): Promise<void> {
  const commands = Array.from({ length: 24 }, () => {
    const at = Math.floor(random() * (size / 512 - 1)) * 512;
    const length = Math.min(size - at, 512 * Math.ceil(300 ** random() * random()));
    const kind = random();
    if (kind < 0.1) return `write -z ${at} ${length}`;
    if (kind < 0.2) return `write -z -u ${at} ${length}`;
    if (kind < 0.3) return `discard ${at} ${length}`;
    return `write -P ${Math.floor(random() * 256)} ${at} ${length}`;
  });
  await run('qemu-io', [
    '-f',
    driverOf(format).qemuName,
    '-d',
    'unmap',
    ...commands.flatMap((command) => ['-c', command]),
    path,
  ]);
}
