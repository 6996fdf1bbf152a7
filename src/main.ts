#!/usr/bin/env node
import { argv } from 'node:process';
import packageDocument from '../package.json' with { type: 'json' };
import { keepHeapSmall, keepYoungGenerationSmall } from './pods/memory.ts';
import { sizeThreadPool } from './base/thread-pool.ts';
import type { PodRole } from './protocol/roles.ts';

// What a process is asked for is loaded then and not before: an importer must not wait for the controllers to be parsed.

/** What runs in a cluster, by the first argument. Each answers with its exit code. */
const roles: Readonly<Record<PodRole, () => Promise<number>>> = {
  controller: async () => {
    keepHeapSmall();
    const { runControllers } = await import('./controllers/run.ts');
    return runControllers(packageDocument.version);
  },
  importer: async () => {
    prepareToMoveData();
    const { runImporter } = await import('./pods/importer.ts');
    return runImporter();
  },
  'copy-source': async () => {
    prepareToMoveData();
    const { runCopySource } = await import('./pods/copy-source.ts');
    return runCopySource();
  },
  'copy-target': async () => {
    prepareToMoveData();
    const { runCopyTarget } = await import('./pods/copy-target.ts');
    return runCopyTarget();
  },
  // That the pod ran means that its claim was mounted, which is all that is asked of it.
  'prepare-claim': () => Promise.resolve(0),
};

function prepareToMoveData(): void {
  keepYoungGenerationSmall();
  sizeThreadPool();
}

const role = Object.entries(roles).find(([name]) => name === argv[2])?.[1];
if (role) {
  // Whatever sockets or timers it leaves behind, the process ends when the role has.
  process.exit(await role());
} else {
  prepareToMoveData();
  const { runCommandLine } = await import('./cli/run.ts');
  await runCommandLine({ ...packageDocument, roles: Object.keys(roles) });
}
