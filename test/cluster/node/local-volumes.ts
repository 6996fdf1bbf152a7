import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { localVolumes, localVolumesFolder } from '../local-volumes.ts';

/** Makes what the node's local PersistentVolumes point to: folders, and devices for block volumes. */
export function makeLocalVolumes(disk: string): void {
  for (const { name, volumeMode, bytes } of localVolumes) {
    const path = join(localVolumesFolder, name);
    if (volumeMode === 'Filesystem') {
      mkdirSync(path);
      chmodSync(path, 0o777);
    } else {
      const file = join(disk, `${name}.img`);
      const descriptor = openSync(file, 'wx');
      ftruncateSync(descriptor, bytes);
      closeSync(descriptor);
      const device = execFileSync('losetup', ['--find', '--show', file], { encoding: 'utf8' }).trim();
      execFileSync('cp', ['-a', device, path]);
    }
  }
}
