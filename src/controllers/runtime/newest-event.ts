import type { Event } from '../../kube/builtin-resources.ts';

/** The event that was seen last, whoever recorded it. */
export function newestEvent(events: readonly Event[]): Event | undefined {
  return events.toSorted((a, b) => seenAt(b) - seenAt(a))[0];
}

/** Which of its times an event has depends on the library that recorded it. */
function seenAt({ lastTimestamp, eventTime, metadata }: Event): number {
  return Date.parse(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '') || 0;
}
