import { cpuUsage } from 'node:process';
import { Violation } from './subjects/subject.ts';

/** What of the processor an attempt may take. */
export interface Budget {
  /** In milliseconds: what translating, collecting garbage and connecting take now and then. */
  readonly fixed: number;
  /** In microseconds. What is linear takes a tenth of it at most; what is quadratic takes more soon. */
  readonly perByte: number;
}

/** @throws Violation where the work takes more of the processor than so many bytes are worth */
export async function withinBudget(
  bytes: number,
  { fixed, perByte }: Budget,
  work: () => Promise<void>,
): Promise<void> {
  const before = cpuUsage();
  await work();
  const { user, system } = cpuUsage(before);
  const took = (user + system) / 1000;
  const budget = fixed + (bytes * perByte) / 1000;
  if (took > budget)
    throw new Violation(`${bytes} bytes took ${Math.round(took)} ms, more than ${Math.round(budget)} ms`);
}
