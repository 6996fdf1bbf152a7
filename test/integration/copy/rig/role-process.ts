// One role of a clone as a process of its own: role-process.ts clone-source|upload-server SETTINGS-AS-JSON [UID]
import { runCloneSource, type CloneSourceSettings } from '../../../../src/pods/copy-source.ts';
import { runUploadServer, type UploadServerSettings } from '../../../../src/pods/copy-target.ts';

const [role, settings = '{}', user] = process.argv.slice(2);
if (user !== undefined) {
  // Only now, because the program itself may be where only root can read.
  process.setgroups?.([]);
  process.setgid?.(Number(user));
  process.setuid?.(Number(user));
}
process.exitCode =
  role === 'clone-source'
    ? await runCloneSource(JSON.parse(settings) as Partial<CloneSourceSettings>)
    : await runUploadServer(JSON.parse(settings) as Partial<UploadServerSettings>);
