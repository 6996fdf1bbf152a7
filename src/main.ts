#!/usr/bin/env node
import { argv, env } from 'node:process';
import packageDocument from '../package.json' with { type: 'json' };
import { readRoleFlags } from './base/role-flags.ts';
import { sizeThreadPool } from './base/thread-pool.ts';
import { keepCodeSmall, keepCompilersOut, keepHeapSmall, keepYoungGenerationSmall } from './pods/memory.ts';
import type { PodRole } from './protocol/roles.ts';

// Modules are loaded only for the role that runs, so that an importer does not wait for the controllers to be parsed.

/** The roles in a cluster, by the first argument. Each returns its exit code. */
const roles: Readonly<Record<PodRole, () => Promise<number>>> = {
  controller: async () => {
    keepHeapSmall();
    const { runControllers } = await import('./controllers/run.ts');
    return runControllers(packageDocument.version);
  },
  apiserver: async () => {
    keepYoungGenerationSmall();
    keepHeapSmall();
    const { runApiServer } = await import('./services/apiserver/run.ts');
    return runApiServer();
  },
  uploadproxy: async () => {
    keepYoungGenerationSmall();
    keepCodeSmall();
    const { runUploadProxy } = await import('./services/uploadproxy/run.ts');
    return runUploadProxy();
  },
  'dashboard-server': async () => {
    keepCodeSmall();
    const { runDashboard } = await import('./services/dashboard/run.ts');
    return runDashboard();
  },
  installation: async () => {
    const { runInstallationStep } = await import('./installation/run.ts');
    return runInstallationStep(argv[3]);
  },
  importer: async () => {
    await prepareToImport();
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
  'copy-volume': async () => {
    prepareToMoveData();
    const { runCopyVolume } = await import('./pods/copy-volume.ts');
    return runCopyVolume();
  },
  'upload-server': async () => {
    prepareToMoveData();
    const { runUploadServer } = await import('./pods/upload-server.ts');
    return runUploadServer();
  },
  // A running pod shows that its claim was mounted, which is its only purpose.
  'prepare-claim': () => Promise.resolve(0),
};

async function prepareToImport(): Promise<void> {
  keepCompilersOut();
  prepareToMoveData();
  const { keepProgramUnmapped } = await import('./base/native/executable-pages.ts');
  keepProgramUnmapped();
}

function prepareToMoveData(): void {
  keepYoungGenerationSmall();
  sizeThreadPool();
}

const role = Object.entries(roles).find(([name]) => name === argv[2])?.[1];
if (role) {
  readRoleFlags(argv.slice(3), env);
  // The process ends with the role, even if sockets or timers are left.
  process.exit(await role());
} else {
  if (argv[2] === 'import') await prepareToImport();
  else prepareToMoveData();
  const { runCommandLine } = await import('./cli/run.ts');
  await runCommandLine({ ...packageDocument, roles: Object.keys(roles) });
}
