import * as z from 'zod';

const UNITS_MILLISECONDS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const DURATION = /^([0-9]+([.][0-9]*)?(ns|us|ms|s|m|h))+$/;

/** A duration as Go writes it, such as 48h0m0s; none is negative. */
export const duration = z.string().max(64).regex(DURATION);

/** Returns the milliseconds of a duration; undefined where it is none. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  const parts = text.matchAll(/([0-9.]+)([a-z]+)/g);
  return [...parts].reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS_MILLISECONDS[unit] ?? 0), 0);
}
