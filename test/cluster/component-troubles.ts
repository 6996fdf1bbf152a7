import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from './commands.ts';
import type { Identity } from './identity.ts';
import { nodeFolder } from './identity.ts';
import { nodeStatus } from './node-control.ts';
import { tellingLines } from './telling-lines.ts';

/** Of a log. */
const MOST_LINES = 8;

/** Says which components of a node do not run, or had to be started again, with the last lines of their logs. */
export async function tellComponentTroubles(cluster: Identity, node: string, log: Log): Promise<void> {
  const folder = nodeFolder(cluster, node);
  const status = await nodeStatus(cluster, node);
  if (status === undefined) {
    log(`${node} does not answer`);
    await tellEnd(join(folder, 'node.log'), log);
  }
  for (const { name, pid, failures, stopped } of status?.components ?? []) {
    if (stopped || (pid !== undefined && failures === 0)) {
      continue;
    }
    log(`${node}: ${name} ${failures > 0 ? `has ended ${failures} times` : 'waits for others'}`);
    await tellEnd(join(folder, 'logs', `${name}.log`), log);
  }
}

async function tellEnd(file: string, log: Log): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => '');
  for (const line of tellingLines(text, MOST_LINES)) {
    log(`  | ${line}`);
  }
}
