import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds. The kernel keeps each process's peak, of which only what comes in the last moment is missed. */
const LOOK_EVERY = 20;

/**
 * The most resident memory that a process and its children had, in bytes: each process's own peak, added up over those
 * that live at the same time.
 *
 * @param running asked until it says no
 */
export async function peakMemory(pid: number, running: () => boolean): Promise<number> {
  let peak = 0;
  while (running()) {
    peak = Math.max(peak, await residentPeak(pid));
    await sleep(LOOK_EVERY);
  }
  return peak;
}

async function residentPeak(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1').catch(() => '');
  let sum = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  for (const child of children.split(' ').filter(Boolean)) sum += await residentPeak(Number(child));
  return sum;
}
