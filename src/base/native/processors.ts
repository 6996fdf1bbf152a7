import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type ControlGroupPlaces, controlGroups, readText } from './control-groups.ts';

/** Returns how many processors this process may keep busy: those of its affinity, or what its CPU limit amounts to. */
export function processors(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(processorLimit())));
}

/**
 * Returns how many processors' worth of time this process may use, together with those that share its limit; Infinity
 * where there is no limit.
 */
export function processorLimit(places?: ControlGroupPlaces): number {
  let limit = Infinity;
  for (const folder of controlGroups('cpu', places)) limit = Math.min(limit, quotaOf(folder));
  return limit;
}

/** Returns the processors that one control group may use; Infinity where it has no quota. */
function quotaOf(folder: string): number {
  const [quota, period] = readText(join(folder, 'cpu.max'))?.split(' ') ?? [
    readText(join(folder, 'cpu.cfs_quota_us')),
    readText(join(folder, 'cpu.cfs_period_us')),
  ];
  const share = Number(quota) / Number(period);
  return share > 0 ? share : Infinity;
}
