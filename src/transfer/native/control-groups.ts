import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const CONTROL_GROUPS = '/sys/fs/cgroup';

/** The folders of this process's control group and those above it, as far as they can be seen from here. */
export function* controlGroups(controller: 'cpu' | 'memory'): Generator<string> {
  for (const line of readText('/proc/self/cgroup')?.split('\n') ?? []) {
    const [, controllers = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    if (controllers !== '' && !controllers.split(',').includes(controller)) continue;
    const top = join(CONTROL_GROUPS, controllers);
    for (let folder = join(top, path); folder.startsWith(top); folder = dirname(folder)) yield folder;
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
