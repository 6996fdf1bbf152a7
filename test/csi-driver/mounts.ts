import { readFile } from 'node:fs/promises';
import { run } from './command.ts';

/** A mount of this process's mount namespace. */
export interface Mount {
  mountPoint: string;
  /** What is mounted: the device, for a filesystem on one. */
  source: string;
}

/** The uppermost mount at exactly that path, or undefined. */
export async function mountAt(path: string): Promise<Mount | undefined> {
  return (await mounts()).findLast((mount) => mount.mountPoint === path);
}

/** Mounts a folder, or a device node, a second time. */
export async function bindMount(source: string, target: string, options: string[]): Promise<void> {
  await run('mount', '--bind', ...optionArguments(options), source, target);
}

/**
 * Mounts the filesystem in a file through a loop device, which goes when the last such mount goes. Several mounts of
 * one file share one filesystem.
 */
export async function mountImage(
  image: string,
  target: string,
  type: string,
  options: readonly string[],
): Promise<void> {
  await run('mount', '--types', type, ...optionArguments(['loop', ...options]), image, target);
}

/** Makes this one mount read-only, others of the same filesystem not. */
export async function remountReadOnly(target: string): Promise<void> {
  await run('mount', '--options', 'remount,bind,ro', target);
}

export async function unmount(target: string): Promise<void> {
  await run('umount', target);
}

/** Writes what the kernel has cached of the filesystem mounted there to its device. */
export async function flushFilesystem(target: string): Promise<void> {
  await run('sync', '--file-system', target);
}

function optionArguments(options: string[]): string[] {
  return options.length === 0 ? [] : ['--options', options.join(',')];
}

/** proc_pid_mountinfo(5): the fifth field is the mount point; after the separator come the type and the source. */
async function mounts(): Promise<Mount[]> {
  const text = await readFile('/proc/self/mountinfo', 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const fields = line.split(' ');
      return {
        mountPoint: unescape(fields[4] ?? ''),
        source: unescape(fields[fields.indexOf('-', 6) + 2] ?? ''),
      };
    });
}

/** Blanks, tabs, line ends and backslashes are written as three octal digits. */
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}
