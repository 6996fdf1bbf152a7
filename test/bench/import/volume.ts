import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { run } from '../../cluster/commands.ts';

const VOLUME_BYTES = 64 * 2 ** 30;
const SECTOR = 512;

/** A freshly made XFS file system on a loop device, whose traffic is counted. */
export interface Volume {
  readonly folder: string;
  /** Bytes that have been written to the device since it was made. */
  written(): Promise<number>;
  remove(): Promise<void>;
}

/** @param state an existing folder with room for what is to be written */
export async function createVolume(state: string): Promise<Volume> {
  const disk = join(state, 'xfs.img');
  const folder = join(state, 'xfs');
  await mkdir(folder, { recursive: true });
  const file = await open(disk, 'wx', 0o600);
  await file.truncate(VOLUME_BYTES);
  await file.close();
  await run('mkfs.xfs', ['-q', '-K', '-m', 'reflink=1', disk]);
  // What is written is in the page cache once already.
  const device = await run('losetup', ['--find', '--show', '--direct-io=on', disk]);
  await run('mount', ['-o', 'discard', device, folder]);
  return {
    folder,
    written: async () => {
      const counters = (await readFile(`/sys/block/${basename(device)}/stat`, 'latin1')).trim().split(/\s+/);
      return Number(counters[6]) * SECTOR;
    },
    remove: async () => {
      await run('umount', [folder]);
      await run('losetup', ['--detach', device]);
      await rm(disk);
    },
  };
}

/** Makes the kernel forget what it has read and written. */
export async function dropCaches({ folder }: Volume): Promise<void> {
  await run('sync', ['--file-system', folder]);
  await writeFile('/proc/sys/vm/drop_caches', '3');
}
