import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readlink, stat } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { run } from './command.ts';

/** A loop device in use: its path, and its file's inode and filesystem (`major:minor`). */
interface LoopDevice {
  device: string;
  inode: number;
  filesystem: string;
}

/** losetup pads some values with blanks. */
const losetupList = z.object({
  loopdevices: z.array(
    z
      .object({ name: z.string(), 'back-ino': z.coerce.number(), 'back-maj:min': z.string() })
      .transform((loop): LoopDevice => ({
        device: loop.name.trim(),
        inode: loop['back-ino'],
        filesystem: loop['back-maj:min'].trim(),
      })),
  ),
});

/**
 * The loop device of a file, by the file's inode: paths differ between mount namespaces.
 *
 * @returns the path of the device, or undefined
 */
export async function findLoopDevice(file: string): Promise<string | undefined> {
  const { ino, dev } = await stat(file);
  return (await list()).find((loop) => loop.inode === ino && loop.filesystem === deviceNumber(dev))?.device;
}

/** Makes a loop device for the file, or finds the one that it has already. */
export async function attachLoopDevice(file: string): Promise<string> {
  return (await run('losetup', '--find', '--show', '--nooverlap', '--direct-io=on', file)).trim();
}

/** Detaches the device now, or as soon as the last process has closed it. */
export async function detachLoopDevice(device: string): Promise<void> {
  await run('losetup', '--detach', device);
}

/** Makes the device as large as its file has become. */
export async function growLoopDevice(device: string): Promise<void> {
  await run('losetup', '--set-capacity', device);
}

/** Writes what the kernel has cached of the device to its file. */
export async function flushLoopDevice(device: string): Promise<void> {
  const handle = await open(device, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Starts a process that does nothing but keep the device open. It outlives the driver, as the pods that use the device
 * do, and ends with the node: a device that is to be detached at its last close is gone then too.
 *
 * @returns the process identifier
 */
export async function holdLoopDevice(device: string): Promise<number> {
  const handle = await open(device, 'r');
  try {
    const holder = spawn('sleep', ['infinity'], {
      stdio: [handle.fd, 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
    });
    await once(holder, 'spawn');
    holder.unref();
    return holder.pid!;
  } finally {
    await handle.close();
  }
}

/** Ends a holder, and waits until it has closed the device. A process that only has the same number is left alone. */
export async function releaseLoopDevice(holder: number, device: string): Promise<void> {
  const holds = async () => (await readlink(`/proc/${holder}/fd/0`).catch(() => undefined)) === device;
  if (await holds()) {
    process.kill(holder, 'SIGKILL');
    while (await holds()) {
      await setTimeout(2);
    }
  }
}

async function list(): Promise<LoopDevice[]> {
  const output = await run('losetup', '--list', '--json', '--output', 'NAME,BACK-INO,BACK-MAJ:MIN');
  // Without any loop device it writes nothing at all.
  return output === '' ? [] : losetupList.parse(JSON.parse(output)).loopdevices;
}

/** A device number as the kernel's encoding has it, as `major:minor`. */
function deviceNumber(dev: number): string {
  const number = BigInt(dev);
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n);
  const minor = (number & 0xffn) | ((number >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}
