// One role as a process of its own: role-process.ts ROLE SETTINGS-AS-JSON [UID]
import type { CopySourceSettings } from '../../../src/pods/copy-source.ts';
import type { CopyTargetSettings } from '../../../src/pods/copy-target.ts';
import type { CopyVolumeSettings } from '../../../src/pods/copy-volume.ts';
import { keepYoungGenerationSmall } from '../../../src/pods/memory.ts';
import type { UploadServerSettings } from '../../../src/pods/upload-server.ts';

// As in main.ts.
keepYoungGenerationSmall();
const { runCopySource } = await import('../../../src/pods/copy-source.ts');
const { runCopyTarget } = await import('../../../src/pods/copy-target.ts');
const { runCopyVolume } = await import('../../../src/pods/copy-volume.ts');
const { runUploadServer } = await import('../../../src/pods/upload-server.ts');

const [role, settings = '{}', user] = process.argv.slice(2);
if (user !== undefined) {
  // Only now, because the program itself may be where only root can read.
  process.setgroups?.([]);
  process.setgid?.(Number(user));
  process.setuid?.(Number(user));
}
const overrides: unknown = JSON.parse(settings);
const roles = {
  'copy-source': () => runCopySource(overrides as Partial<CopySourceSettings>),
  'copy-target': () => runCopyTarget(overrides as Partial<CopyTargetSettings>),
  'copy-volume': () => runCopyVolume(overrides as Partial<CopyVolumeSettings>),
  'upload-server': () => runUploadServer(overrides as Partial<UploadServerSettings>),
};
process.exitCode = await roles[role as keyof typeof roles]();
