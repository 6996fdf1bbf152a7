import { join } from 'node:path';
import type { RunOptions } from './commands.ts';
import { run } from './commands.ts';
import { cacheFolder } from './folders.ts';

/** Runs buildah on a storage of the product's own, so that it meets no images of the user's. */
export function buildah(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  const storage = join(cacheFolder(), 'buildah');
  return run('buildah', ['--root', join(storage, 'root'), '--runroot', join(storage, 'run'), command, ...args], {
    ...options,
    // No container is started, so none of what a container runtime needs is either.
    env: { BUILDAH_ISOLATION: 'chroot', STORAGE_DRIVER: 'overlay', ...options.env },
  });
}
