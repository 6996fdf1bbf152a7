import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { CommandFailed, run } from '../../cluster/commands.ts';
import { peakMemory } from '../../support/peak-memory.ts';
import { dropCaches, type Volume } from './volume.ts';

/** Of the kernel's clock for processor time (USER_HZ), a second. */
const TICKS = 100;

/** What one run of a program took. */
export interface Measurement {
  seconds: number;
  /** Of processor time, in the program and in the kernel for it, by all its processes. */
  processor: number;
  /** Bytes that reached the volume's device. */
  written: number;
  /** The most resident memory that its processes had together, in bytes. */
  memory: number;
}

export interface Measured {
  program: string;
  args: string[];
  env?: Record<string, string>;
  /** Files that are in the page cache when it starts; nothing else is. */
  cached?: string[];
}

/**
 * Runs a program with cold caches, from its start until it ends.
 *
 * @throws CommandFailed
 */
export async function measure(volume: Volume, { program, args, env, cached = [] }: Measured): Promise<Measurement> {
  await dropCaches(volume);
  for (const file of cached) await run('cp', [file, '/dev/null']);
  const before = await volume.written();
  const processorBefore = await processorOfChildren();
  const started = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-4096)));
  }
  const ended = once(child, 'close');
  let running = true;
  const watching = peakMemory(child.pid ?? 0, () => running);
  const [status] = (await ended) as [number | null];
  const seconds = (performance.now() - started) / 1000;
  running = false;
  if (status !== 0) throw new CommandFailed([program, ...args].join(' '), status, output);
  const processor = (await processorOfChildren()) - processorBefore;
  return { seconds, processor, written: (await volume.written()) - before, memory: await watching };
}

/**
 * Seconds that the children of this process that have ended took, with their own: proc_pid_stat(5), cutime and cstime.
 */
async function processorOfChildren(): Promise<number> {
  const status = await readFile('/proc/self/stat', 'latin1');
  const [userTicks, systemTicks] = status.slice(status.lastIndexOf(')')).split(' ').slice(14, 16);
  return (Number(userTicks) + Number(systemTicks)) / TICKS;
}
