import { readdir, readFile } from 'node:fs/promises';
import { usageOf } from '../../support/process-usage.ts';

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
    processor: all.reduce((sum, { cpu }) => sum + cpu, 0) / 1000,
    memory: Math.max(...all.map(({ peak }) => peak)),
  };
}

/** Returns the pids of the proxies. */
async function proxies(): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, index) => {
    const [program, ...args] = commands[index]?.split('\0') ?? [];
    return program === 'node' && args.includes('uploadproxy');
  });
}
