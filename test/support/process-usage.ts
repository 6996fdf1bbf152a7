import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Of /proc/PID/stat; the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** What a process has used since it was started. */
export interface Usage {
  /** User and system time, in milliseconds. */
  readonly cpu: number;
  /** Bytes. */
  readonly resident: number;
  /** The most that was resident at any time, in bytes. */
  readonly peak: number;
}

/** @throws Error if there is no such process */
export async function usageOf(pid: number | undefined): Promise<Usage> {
  const folder = `/proc/${pid}`;
  const [stat, status] = await Promise.all([
    readFile(join(folder, 'stat'), 'utf8'),
    readFile(join(folder, 'status'), 'utf8'),
  ]);
  return usageIn(stat, status);
}

/**
 * Returns what a process has used, from its files in proc(5).
 *
 * @returns NaN for the memory of a process that has ended, and that nobody has asked for its status yet
 */
export function usageIn(stat: string, status: string): Usage {
  // The second field is the program's name in brackets, which may hold blanks itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const kibibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? NaN);
  return {
    cpu: ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND,
    resident: kibibytes('VmRSS') * 1024,
    peak: kibibytes('VmHWM') * 1024,
  };
}
