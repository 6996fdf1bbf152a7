import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** Where the kernel tells of control groups, by the layouts that systemd, containerd and runc give it. */
export interface ControlGroupPlaces {
  /** The groups of a process. */
  self: string;
  /** Where version 2 is mounted, or the controllers of version 1 in a folder each. */
  mounts: string;
}

const ownPlaces: ControlGroupPlaces = { self: '/proc/self/cgroup', mounts: '/sys/fs/cgroup' };

/** The folders of this process's control group and those above it, as far as they can be seen from here: a limit of any of them holds. */
export function* controlGroups(
  controller: 'cpu' | 'memory',
  { self, mounts }: ControlGroupPlaces = ownPlaces,
): Generator<string> {
  for (const line of readText(self)?.split('\n') ?? []) {
    const [, controllers = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    if (controllers !== '' && !controllers.split(',').includes(controller)) continue;
    // Seen from another namespace of control groups, it begins with /.. and what can be seen is the top alone.
    const top = join(mounts, controllers);
    const own = join(top, normalize(path));
    for (let folder = own.replace(/\/$/, ''); folder.startsWith(top); folder = dirname(folder)) yield folder;
  }
}

/** A small file's text; undefined where there is none. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
