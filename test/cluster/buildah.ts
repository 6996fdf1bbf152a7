import { join } from 'node:path';
import type { Log, RunOptions } from './commands.ts';
import { run, succeeds } from './commands.ts';
import { cacheFolder } from './folders.ts';
import { withLock } from './lock.ts';

/**
 * Runs buildah on a storage of the product's own, so that it meets no images of the user's, in a mount namespace of its
 * own, so that it leaves no mounts.
 */
export function buildah(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  return run('unshare', words(command, args), { ...options, env: { ...environment, ...options.env } });
}

/** Whether buildah has an image of that name. */
export function hasImage(name: string): Promise<boolean> {
  return succeeds('unshare', words('inspect', ['--type', 'image', name]), { env: environment });
}

/** Runs work on images while no other process does. */
export function withImageLock<T>(log: Log, work: () => Promise<T>): Promise<T> {
  const waiting = () => log('waiting for another process that works on images');
  return withLock(join(cacheFolder(), 'locks', 'images'), work, waiting);
}

// No container runtime is needed to run the programs of a Dockerfile in a chroot.
const environment = { BUILDAH_ISOLATION: 'chroot', STORAGE_DRIVER: 'overlay' };

function words(command: string, args: string[]): string[] {
  const storage = join(cacheFolder(), 'buildah');
  return [
    ...['--mount', '--propagation', 'private', 'buildah'],
    ...['--root', join(storage, 'root'), '--runroot', join(storage, 'run')],
    ...[command, ...args],
  ];
}
