import type { Event } from '../../kube/builtin-resources.ts';

/** Returns the event that was seen last, whoever recorded it. */
export function newestEvent(events: readonly Event[]): Event | undefined {
  return events.toSorted((a, b) => seenAt(b) - seenAt(a))[0];
}

/**
 * Returns when an event was last seen, in milliseconds since the epoch. Which of its times is set depends on the
 * library that recorded it.
 */
export function seenAt({ lastTimestamp, eventTime, metadata }: Event): number {
  return Date.parse(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '') || 0;
}
