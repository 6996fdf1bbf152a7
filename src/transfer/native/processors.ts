import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

const CONTROL_GROUPS = '/sys/fs/cgroup';

/** How many processors this process may keep busy: those that it may run on, or as many as its CPU limit comes to. */
export function processors(): number {
  let limit = Infinity;
  for (const folder of controlGroups()) limit = Math.min(limit, quotaOf(folder));
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(limit)));
}

/** The folders of this process's control group and those above it, as far as they can be seen from here. */
function* controlGroups(): Generator<string> {
  for (const line of read('/proc/self/cgroup')?.split('\n') ?? []) {
    const [, controllers = '', path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    if (controllers !== '' && !controllers.split(',').includes('cpu')) continue;
    const top = join(CONTROL_GROUPS, controllers);
    for (let folder = join(top, path); folder.startsWith(top); folder = dirname(folder)) yield folder;
  }
}

/** The processors that one control group may use, without end where it does not say. */
function quotaOf(folder: string): number {
  const [quota, period] = read(join(folder, 'cpu.max'))?.split(' ') ?? [
    read(join(folder, 'cpu.cfs_quota_us')),
    read(join(folder, 'cpu.cfs_period_us')),
  ];
  const share = Number(quota) / Number(period);
  return share > 0 ? share : Infinity;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
