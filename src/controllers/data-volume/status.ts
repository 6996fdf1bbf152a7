import type { DataVolume, DataVolumeStatus } from '../../api/data-volume.ts';
import { differs } from '../../kube/apply.ts';
import { conditionsDiffer, withTimes } from '../runtime/conditions.ts';
import type { Observation } from './observation.ts';

/** Returns the status to write, with timestamps; undefined where the recorded status is up to date. */
export function statusToWrite(
  dataVolume: DataVolume,
  observed: Observation,
  now: number,
): DataVolumeStatus | undefined {
  const recorded = dataVolume.status;
  const { conditions, ...rest } = observed;
  if (recorded && !differs(rest, recorded) && !conditionsDiffer(conditions, recorded.conditions)) return undefined;
  return { ...rest, conditions: withTimes(conditions, recorded?.conditions, now) };
}
