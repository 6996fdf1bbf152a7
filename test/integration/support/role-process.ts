// One role as a process of its own: role-process.ts ROLE SETTINGS-AS-JSON [UID]
import { keepYoungGenerationSmall } from '../../../src/pods/memory.ts';

// As in main.ts.
keepYoungGenerationSmall();
const roles = {
  'copy-source': async () => (await import('../../../src/pods/copy-source.ts')).runCopySource,
  'copy-target': async () => (await import('../../../src/pods/copy-target.ts')).runCopyTarget,
  'copy-volume': async () => (await import('../../../src/pods/copy-volume.ts')).runCopyVolume,
  'upload-server': async () => (await import('../../../src/pods/upload-server.ts')).runUploadServer,
} satisfies Record<string, () => Promise<(overrides: object) => Promise<number>>>;

const [role, settings = '{}', user] = process.argv.slice(2);
const run = await roles[role as keyof typeof roles]();
if (user !== undefined) {
  // Only now, because the program itself may be where only root can read.
  process.setgroups?.([]);
  process.setgid?.(Number(user));
  process.setuid?.(Number(user));
}
process.exitCode = await run(JSON.parse(settings) as object);
