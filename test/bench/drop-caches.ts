import { writeFile } from 'node:fs/promises';
import { run } from '../cluster/commands.ts';

/** What was read or written before is not to help; another machine's caches are left as they are. */
export async function dropCaches(): Promise<void> {
  if (process.getuid?.() !== 0) return;
  await run('sync', []);
  await writeFile('/proc/sys/vm/drop_caches', '3');
}
