import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../cluster/folders.ts';

/** Milliseconds that each test took when it was last run on this machine, by its full title. */
export type Durations = ReadonlyMap<string, number>;

const path = join(cacheFolder(), 'test-durations.json');

/** What was recorded last; nothing where nothing was, or where it cannot be read. */
export function recordedDurations(): Durations {
  try {
    return new Map(Object.entries(JSON.parse(readFileSync(path, 'utf8')) as Record<string, number>));
  } catch {
    return new Map();
  }
}

/** Adds to what is recorded. Other suites may record at the same time: what they lose is only a better estimate. */
export function recordDurations(durations: Durations): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify(Object.fromEntries([...recordedDurations(), ...durations])));
  } catch {
    // A read-only home is no reason to fail.
  }
}

/**
 * How long the tests that are left will take, in milliseconds, from how long they took before and how much slower or
 * faster those that are done were this time. Tests without a record take as long as the others do on average. Undefined
 * before anything is done. Pure.
 *
 * @param elapsed milliseconds since the first test began
 */
export function remaining(
  done: readonly string[],
  left: readonly string[],
  elapsed: number,
  recorded: Durations,
): number | undefined {
  if (done.length === 0) return undefined;
  const known = [...done, ...left].flatMap((title) => recorded.get(title) ?? []);
  const average = known.length === 0 ? 1 : known.reduce((sum, each) => sum + each, 0) / known.length;
  const sum = (titles: readonly string[]) => titles.reduce((all, title) => all + (recorded.get(title) ?? average), 0);
  const expected = sum(done);
  return expected === 0 ? undefined : (elapsed / expected) * sum(left);
}

/** `3 min`, `40 s`: as much as an estimate is worth. */
export const roughly = (milliseconds: number): string =>
  milliseconds < 90_000 ? `${Math.ceil(milliseconds / 10_000) * 10} s` : `${Math.round(milliseconds / 60_000)} min`;
