import { clonePhases, type ClonePhase } from '../../../api/clone.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { phaseTimesAnnotation } from '../../objects/internal-annotations.ts';

/** When each phase of a clone began, in milliseconds since the epoch, in the order in which they did. */
export type PhaseTimes = readonly (readonly [phase: ClonePhase, began: number])[];

/**
 * The times with a phase that is under way: a phase that is there already began when it says.
 *
 * @param recorded what was written before, if anything
 * @returns a JSON object of RFC 3339 times with milliseconds: `{"CSIClone":"2026-01-01T00:00:00.000Z","Rebind":…}`
 */
export function withPhase(recorded: string | undefined, phase: ClonePhase, now: number): string {
  const times = readPhaseTimes(recorded);
  const all = times.some(([name]) => name === phase) ? times : [...times, [phase, now] as const];
  return JSON.stringify(Object.fromEntries(all.map(([name, began]) => [name, new Date(began).toISOString()])));
}

/** Reads what {@link withPhase} wrote; what it did not write counts for nothing. */
export function readPhaseTimes(recorded: string | undefined): PhaseTimes {
  const times = parsed(recorded);
  if (typeof times !== 'object' || times === null) return [];
  return Object.entries(times).flatMap(([name, value]) => {
    const phase = clonePhases.find((known) => known === name);
    const began = Date.parse(String(value));
    return phase && Number.isFinite(began) ? [[phase, began] as const] : [];
  });
}

/** How long each phase took that has been followed by another, in seconds. */
export function phaseSeconds(times: PhaseTimes): (readonly [phase: ClonePhase, seconds: number])[] {
  return times.flatMap(([phase, began], index) => {
    const next = times[index + 1];
    return next ? [[phase, Math.max(0, next[1] - began) / 1000] as const] : [];
  });
}

/**
 * How long a clone took that is complete now, and each phase of it, in seconds. Users may write what is recorded on their claims: no
 * time is taken to be before the claim was created or in the future, nor a phase to have begun before the one before it.
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
