import { differs } from '../../kube/apply.ts';

/** A condition without its times. */
export interface ObservedCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

interface Times {
  readonly lastTransitionTime?: string | undefined;
  readonly lastHeartbeatTime?: string | undefined;
}

/** Reports whether the recorded conditions differ from the observed ones, apart from their times. */
export function conditionsDiffer(
  observed: readonly ObservedCondition[],
  recorded: readonly ObservedCondition[] | undefined,
): boolean {
  return observed.some((condition) => differs(condition, find(recorded, condition.type) ?? {}));
}

/** Returns the conditions with their times; a condition's transition time changes only with its status. */
export function withTimes<Condition extends ObservedCondition>(
  observed: readonly Condition[],
  recorded: readonly (ObservedCondition & Times)[] | undefined,
  now: number,
): (Condition & Required<Times>)[] {
  const time = `${new Date(now).toISOString().slice(0, 19)}Z`;
  return observed.map((condition) => {
    const previous = find(recorded, condition.type);
    return {
      ...condition,
      lastHeartbeatTime: time,
      lastTransitionTime: previous?.status === condition.status ? (previous.lastTransitionTime ?? time) : time,
    };
  });
}

function find<Condition extends ObservedCondition>(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((candidate) => candidate.type === type);
}
