import { type ClonePhase, clonePhases } from '../../../api/clone.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { phaseTimesAnnotation } from '../../objects/internal-annotations.ts';

/** The phases of a clone in chronological order, with their start in milliseconds since the epoch. */
export type PhaseTimes = readonly (readonly [phase: ClonePhase, began: number])[];

/**
 * Returns the times with those of more phases added; a phase that was recorded before keeps its time.
 *
 * @param recorded the value written before, if any
 * @returns a JSON object of RFC 3339 times with milliseconds: `{"CSIClone":"2026-01-01T00:00:00.000Z","Rebind":…}`
 */
export function withPhases(recorded: string | undefined, added: PhaseTimes): string {
  const all = new Map(readPhaseTimes(recorded));
  for (const [phase, began] of added) if (!all.has(phase)) all.set(phase, began);
  return JSON.stringify(Object.fromEntries([...all].map(([name, began]) => [name, new Date(began).toISOString()])));
}

/** Parses what {@link withPhases} wrote, and ignores anything else. */
export function readPhaseTimes(recorded: string | undefined): PhaseTimes {
  const times = parsed(recorded);
  if (typeof times !== 'object' || times === null) return [];
  return Object.entries(times).flatMap(([name, value]) => {
    const phase = clonePhases.find((known) => known === name);
    const began = Date.parse(String(value));
    return phase && Number.isFinite(began) ? [[phase, began] as const] : [];
  });
}

/** Returns the duration in seconds of each phase that was followed by another one. */
export function phaseSeconds(times: PhaseTimes): (readonly [phase: ClonePhase, seconds: number])[] {
  return times.flatMap(([phase, began], index) => {
    const next = times[index + 1];
    return next ? [[phase, Math.max(0, next[1] - began) / 1000] as const] : [];
  });
}

/**
 * Returns the duration in seconds of a complete clone and of each of its phases. Because users may write the records on
 * their claims, no time counts that is before the creation of the claim or in the future, and no phase starts before
 * its predecessor.
 *
 * @param now milliseconds since the epoch
 */
export function timesOf(
  { metadata }: PersistentVolumeClaim,
  now: number,
): { readonly whole: number; readonly phases: ReturnType<typeof phaseSeconds> } {
  const created = Date.parse(metadata?.creationTimestamp ?? '');
  let earliest = Number.isFinite(created) ? Math.min(created, now) : now;
  const whole = (now - earliest) / 1000;
  const recorded = readPhaseTimes(metadata?.annotations?.[phaseTimesAnnotation]);
  const times = recorded
    .filter(([phase]) => phase !== 'Succeeded')
    .map(([phase, began]) => {
      earliest = Math.min(Math.max(began, earliest), now);
      return [phase, earliest] as const;
    });
  return { whole, phases: phaseSeconds([...times, ['Succeeded', now]]) };
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '{}');
  } catch {
    return undefined;
  }
}
