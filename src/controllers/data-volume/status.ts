import type { DataVolume, DataVolumeStatus } from '../../api/data-volume.ts';
import { differs } from '../../kube/apply.ts';
import type { Observation } from './observation.ts';

/**
 * The status to write, with times; undefined where the recorded one says the same already. A condition's transition
 * time moves only when its status changes.
 */
export function statusToWrite(
  dataVolume: DataVolume,
  observed: Observation,
  now: number,
): DataVolumeStatus | undefined {
  const recorded = dataVolume.status;
  const { conditions, ...rest } = observed;
  const current = (type: string) => recorded?.conditions?.find((candidate) => candidate.type === type);
  const same =
    !differs(rest, recorded ?? {}) &&
    conditions.every((condition) => !differs(condition, current(condition.type) ?? {}));
  if (same && recorded) return undefined;
  const time = `${new Date(now).toISOString().slice(0, 19)}Z`;
  return {
    ...rest,
    conditions: conditions.map((condition) => {
      const previous = current(condition.type);
      return {
        ...condition,
        lastHeartbeatTime: time,
        lastTransitionTime: previous?.status === condition.status ? (previous.lastTransitionTime ?? time) : time,
      };
    }),
  };
}
