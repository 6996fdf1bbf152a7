import { Violation } from './violation.ts';

/** In milliseconds of the processor: what translating, collecting garbage and connecting take now and then. */
const FIXED = 500;
/** In microseconds of the processor. What is linear takes a tenth of it at most; what is quadratic takes more soon. */
const PER_BYTE = 20;

/** @throws Violation where the work takes more of the processor than so many bytes are worth */
export async function withinBudget(bytes: number, work: () => Promise<void>): Promise<void> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  const took = (user + system) / 1000;
  const budget = FIXED + (bytes * PER_BYTE) / 1000;
  if (took > budget)
    throw new Violation(`${bytes} bytes took ${Math.round(took)} ms, more than ${Math.round(budget)} ms`);
}
