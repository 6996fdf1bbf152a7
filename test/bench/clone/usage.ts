import { readFileSync } from 'node:fs';
import { usageIn } from '../../support/process-usage.ts';

const SAMPLE_MILLISECONDS = 20;
const MEGABYTE = 1e6;

/** What a process has used since it was started. */
export interface Usage {
  /** Seconds of processor time, in the program and in the kernel for it. */
  readonly processor: number;
  /** The most that was resident, in MB. */
  readonly memory: number;
  /** MB that it has read from files and connections, and written to them. */
  readonly read: number;
  readonly written: number;
  /** MB that it had fetched from disks and devices, which is nothing for what was in a cache. */
  readonly fetched: number;
}

/**
 * Looks again and again, for a process that has ended tells nothing.
 *
 * @returns what it had used when it was last seen
 */
export function followUsage(pid: number | undefined): () => Usage {
  let usage: Usage = { processor: NaN, memory: NaN, read: NaN, written: NaN, fetched: NaN };
  const timer = setInterval(() => {
    try {
      usage = usageOf(pid) ?? usage;
    } catch {
      clearInterval(timer);
    }
  }, SAMPLE_MILLISECONDS);
  return () => {
    clearInterval(timer);
    return usage;
  };
}

/** @returns undefined for a process that has ended, and that nobody has asked for its status yet */
function usageOf(pid: number | undefined): Usage | undefined {
  const file = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'latin1');
  const { cpu, peak } = usageIn(file('stat'), file('status'));
  if (Number.isNaN(peak)) return undefined;
  const traffic = file('io');
  const megabytes = (name: string): number =>
    Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(traffic)?.[1]) / MEGABYTE;
  return {
    processor: cpu / 1000,
    memory: peak / MEGABYTE,
    read: megabytes('rchar'),
    written: megabytes('wchar'),
    fetched: megabytes('read_bytes'),
  };
}
