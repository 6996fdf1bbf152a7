import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** Where the kernel lists control groups, in the layouts of systemd, containerd and runc. */
export interface ControlGroupPlaces {
  /** The file that lists the groups of a process. */
  self: string;
  /** Where version 2 is mounted, or version 1 with one folder for each controller. */
  mounts: string;
}

const ownPlaces: ControlGroupPlaces = { self: '/proc/self/cgroup', mounts: '/sys/fs/cgroup' };

/**
 * Yields the folders of this process's control group and its ancestors, as far as they are visible: the limits of all
 * of them apply.
 */
export function* controlGroups(
  controller: 'cpu' | 'memory',
  { self, mounts }: ControlGroupPlaces = ownPlaces,
): Generator<string> {
  for (const line of readText(self)?.split('\n') ?? []) {
    const [, controllers = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    if (controllers !== '' && !controllers.split(',').includes(controller)) continue;
    // Seen from another cgroup namespace, the path begins with /.. and only the top is visible.
    const top = join(mounts, controllers);
    const own = join(top, normalize(path));
    for (let folder = own.replace(/\/$/, ''); folder.startsWith(top); folder = dirname(folder)) yield folder;
  }
}

/** Returns the text of a small file, or undefined where there is none. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
