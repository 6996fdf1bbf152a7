import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { controlGroups, readText, type ControlGroupPlaces } from './control-groups.ts';

/** How many processors this process may keep busy: those that it may run on, or as many as its CPU limit comes to. */
export function processors(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.ceil(processorLimit())));
}

/** How many processors' time this process may take, with those that it shares its limit with; without end where there is none. */
export function processorLimit(places?: ControlGroupPlaces): number {
  let limit = Infinity;
  for (const folder of controlGroups('cpu', places)) limit = Math.min(limit, quotaOf(folder));
  return limit;
}

/** The processors that one control group may use, without end where it does not say. */
function quotaOf(folder: string): number {
  const [quota, period] = readText(join(folder, 'cpu.max'))?.split(' ') ?? [
    readText(join(folder, 'cpu.cfs_quota_us')),
    readText(join(folder, 'cpu.cfs_period_us')),
  ];
  const share = Number(quota) / Number(period);
  return share > 0 ? share : Infinity;
}
