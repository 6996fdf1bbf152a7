import { cpuUsage } from 'node:process';
import { expect } from 'chai';

/**
 * Does work without waiting, and expects it to take no more than some processor time. The time on the clock would tell
 * of other programs on the machine as well.
 *
 * @param limit in milliseconds
 */
export function expectProcessorTimeBelow(limit: number, work: () => void): void {
  const before = cpuUsage();
  work();
  const { user, system } = cpuUsage(before);
  expect((user + system) / 1000, 'milliseconds of processor time').to.be.below(limit);
}
