import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Runs `work` while no other process runs work under the same lock file. The kernel releases the lock when this process
 * ends, however it ends, so a lock never goes stale.
 * @param waiting is called once if another process holds the lock.
 */
export async function withLock<T>(file: string, work: () => Promise<T>, waiting?: () => void): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  const holder = spawn('flock', [file, 'sh', '-c', 'echo locked; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'close');
  const timer = setTimeout(() => waiting?.(), 500);
  try {
    const outcome = await Promise.race([once(holder.stdout, 'data'), ended]);
    clearTimeout(timer);
    if (!Buffer.isBuffer(outcome[0])) {
      throw new Error(`could not lock ${file}: flock ended with status ${String(outcome[0])}`);
    }
    return await work();
  } finally {
    clearTimeout(timer);
    holder.stdin.end();
    await ended.catch(() => undefined);
  }
}
