import { readFile, writeFile } from 'node:fs/promises';
import { type DiskFormat, driverOf } from '../../src/image/formats/drivers.ts';
import { run } from '../cluster/commands.ts';
import { streamOptimizedVmdk } from '../support/stream-optimized-vmdk.ts';
import type { MatrixImage } from './matrix-image.ts';
import { contents, writeRaw } from './raw-disk.ts';

const MEBIBYTE = 1024 * 1024;

/** Other formats than qcow2, as `qemu-img convert` writes them. */
export function* otherFormats(): Generator<MatrixImage> {
  const formats: [name: string, format: DiskFormat, options: string[], streams: boolean][] = [
    ['vmdk monolithicSparse', 'vmdk', ['-o', 'subformat=monolithicSparse'], true],
    ['vmdk monolithicSparse, zeroed grains', 'vmdk', ['-o', 'zeroed_grain=on'], true],
    ['vmdk streamOptimized', 'vmdk', ['-o', 'subformat=streamOptimized'], true],
    ['vhd dynamic', 'vhd', ['-o', 'subformat=dynamic,force_size=on'], true],
    ['vhd dynamic, sized by its geometry', 'vhd', ['-o', 'subformat=dynamic'], true],
    ['vhdx dynamic', 'vhdx', ['-o', 'subformat=dynamic'], true],
    ['vhdx dynamic, small blocks', 'vhdx', ['-o', 'subformat=dynamic,block_size=1M,block_state_zero=off'], true],
    ['vhdx fixed', 'vhdx', ['-o', 'subformat=fixed'], true],
    ['vdi dynamic', 'vdi', [], true],
    ['vdi static', 'vdi', ['-o', 'static=on'], true],
    ['qed', 'qed', [], false],
    ['qcow', 'qcow', [], true],
  ];
  for (const [name, format, options, streams] of formats) {
    for (const content of contents) {
      for (const size of [6 * MEBIBYTE, 37 * MEBIBYTE + 37 * 512]) {
        yield {
          name: `${name} ${content} ${size}`,
          format,
          streams,
          make: async (folder, path) => {
            const raw = await writeRaw(folder, content, size);
            await run('qemu-img', ['convert', '-O', driverOf(format).qemuName, ...options, raw, path]);
          },
        };
      }
    }
  }
  for (const content of contents) {
    yield {
      name: `qcow, compressed ${content}`,
      format: 'qcow',
      streams: true,
      make: async (folder, path) => {
        const raw = await writeRaw(folder, content, 5 * MEBIBYTE + 37 * 512);
        // Once it has written all of a compressed qcow, qemu-img ends with 1, without a word.
        await run('sh', ['-c', 'qemu-img convert -O qcow -c "$1" "$2" || qemu-img compare "$1" "$2"', 'sh', raw, path]);
      },
    };
    yield {
      name: `vmdk streamOptimized, tables behind their grains ${content}`,
      format: 'vmdk',
      streams: true,
      make: async (folder, path) => {
        const raw = await writeRaw(folder, content, 33 * MEBIBYTE + 512);
        await writeFile(path, streamOptimizedVmdk(await readFile(raw)));
      },
    };
  }
}
