import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { run } from '../../cluster/commands.ts';
import { attachLoopDevice } from '../../cluster/loop-device.ts';
import { atEnd } from '../ending.ts';

const VOLUME_BYTES = 64 * 2 ** 30;
const SECTOR = 512;

/** A freshly made XFS file system on a loop device, whose traffic is counted. */
export interface Volume {
  readonly folder: string;
  /** Bytes that have been written to the device since it was made. */
  written(): Promise<number>;
}

/**
 * Makes a volume that goes when this process ends.
 *
 * @param state an existing folder with room for what is to be written
 */
export async function createVolume(state: string): Promise<Volume> {
  const disk = join(state, 'xfs.img');
  const folder = join(state, 'xfs');
  atEnd(() => remove(disk, folder));
  await mkdir(folder, { recursive: true });
  const file = await open(disk, 'wx', 0o600);
  await file.truncate(VOLUME_BYTES);
  await file.close();
  await run('mkfs.xfs', ['-q', '-K', '-m', 'reflink=1', disk]);
  const device = attachLoopDevice(disk);
  await run('mount', ['-o', 'discard', device, folder]);
  return {
    folder,
    written: async () => {
      const counters = (await readFile(`/sys/block/${basename(device)}/stat`, 'latin1')).trim().split(/\s+/);
      return Number(counters[6]) * SECTOR;
    },
  };
}

/**
 * Whatever there is of a volume. A program that is being killed holds it for a moment: the kernel lets go of it after
 * that.
 */
function remove(disk: string, folder: string): void {
  const lines = (program: string, ...args: string[]) =>
    execFileSync(program, args, { encoding: 'latin1', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n');
  const mounts = lines('findmnt', '--noheadings', '--list', '--output', 'TARGET');
  if (mounts.includes(folder)) execFileSync('umount', ['--lazy', folder]);
  const devices = lines('losetup', '--noheadings', '--output', 'NAME', '--associated', disk).filter(Boolean);
  for (const device of devices) execFileSync('losetup', ['--detach', device.trim()]);
  rmSync(disk, { force: true });
}

/** Makes the kernel forget what it has read and written. */
export async function dropCaches({ folder }: Volume): Promise<void> {
  await run('sync', ['--file-system', folder]);
  await writeFile('/proc/sys/vm/drop_caches', '3');
}
