const UNITS_MILLISECONDS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const unit = Object.keys(UNITS_MILLISECONDS).join('|');
const DURATION = new RegExp(`^(?:\\d+(?:\\.\\d*)?(?:${unit}))+$`);

/** Returns the milliseconds of a duration as Go writes it, such as 48h0m0s; undefined where it is none, or negative. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!DURATION.test(text)) return undefined;
  const parts = text.matchAll(new RegExp(`([\\d.]+)(${unit})`, 'g'));
  return [...parts].reduce((sum, [, count, name]) => sum + Number(count) * (UNITS_MILLISECONDS[name ?? ''] ?? 0), 0);
}
