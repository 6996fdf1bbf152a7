// One role of a clone as a process of its own: role-process.ts copy-source|copy-target SETTINGS-AS-JSON [UID]
import { type CopySourceSettings, runCopySource } from '../../../../src/pods/copy-source.ts';
import { type CopyTargetSettings, runCopyTarget } from '../../../../src/pods/copy-target.ts';

const [role, settings = '{}', user] = process.argv.slice(2);
if (user !== undefined) {
  // Only now, because the program itself may be where only root can read.
  process.setgroups?.([]);
  process.setgid?.(Number(user));
  process.setuid?.(Number(user));
}
process.exitCode =
  role === 'copy-source'
    ? await runCopySource(JSON.parse(settings) as Partial<CopySourceSettings>)
    : await runCopyTarget(JSON.parse(settings) as Partial<CopyTargetSettings>);
