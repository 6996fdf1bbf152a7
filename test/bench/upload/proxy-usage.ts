import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Of the kernel's clock for processor time (USER_HZ), a second. */
const TICKS = 100;

/** What the upload proxies take while something is sent through them. */
export interface ProxyUsage {
  /** Seconds of processor time, of all replicas together. */
  readonly processor: number;
  /** The most resident memory that one replica has ever had, in bytes. */
  readonly memory: number;
}

/** Measures the upload proxies of a cluster on this machine while work is done. */
export async function proxyUsage<T>(work: () => Promise<T>): Promise<{ result: T; usage: ProxyUsage }> {
  const before = await usage();
  const result = await work();
  const after = await usage();
  return { result, usage: { ...after, processor: after.processor - before.processor } };
}

async function usage(): Promise<ProxyUsage> {
  const all = await Promise.all((await proxies()).map(usageOf));
  return {
    processor: all.reduce((sum, { processor }) => sum + processor, 0),
    memory: Math.max(...all.map(({ memory }) => memory)),
  };
}

/** Folders in proc(5) of the processes. */
async function proxies(): Promise<string[]> {
  const folders = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map((name) => join('/proc', name));
  const commands = await Promise.all(
    folders.map((folder) => readFile(join(folder, 'cmdline'), 'utf8').catch(() => '')),
  );
  return folders.filter((_, index) => {
    const [program, ...args] = commands[index]?.split('\0') ?? [];
    return program === 'node' && args.includes('uploadproxy');
  });
}

async function usageOf(folder: string): Promise<ProxyUsage> {
  const [stat, status] = await Promise.all(['stat', 'status'].map((name) => readFile(join(folder, name), 'utf8')));
  // The name of the program, in parentheses, may hold anything.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const [utime, stime] = [fields[11], fields[12]].map(Number);
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status ?? '')?.[1];
  return { processor: ((utime ?? NaN) + (stime ?? NaN)) / TICKS, memory: Number(peak) * 1024 };
}
