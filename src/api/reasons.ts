import { type Course, reasonGroups } from './reason-groups.ts';

/** A reason of the Running condition. */
export type Reason = (typeof reasonGroups)[number]['reasons'][number];

const courses = new Map<string, Course>(
  reasonGroups.flatMap(({ reasons, course }) => reasons.map((reason) => [reason, course] as const)),
);

/**
 * Returns how the work continues after a reason, which may be another component's; undefined if this table does not
 * have it.
 */
export function courseOf(reason: string): Course | undefined {
  return courses.get(reason);
}

/**
 * Reports whether a reason is published as that of the event of a failed DataVolume, instead of the kind of work that
 * failed.
 */
export const isFailureEventReason = (reason: string): boolean =>
  courses.has(reason) && (reason.startsWith('Err') || reason === 'CloneValidationFailed');
