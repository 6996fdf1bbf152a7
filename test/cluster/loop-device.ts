import { execFileSync, spawnSync } from 'node:child_process';

/**
 * Attaches a block device to a file, past the page cache: what is written would be in it twice, be charged to the pod
 * that wrote it, and reach the file one request after the other. Some file systems cannot do that; theirs do without.
 *
 * @returns the path of the device
 */
export function attachLoopDevice(file: string): string {
  const device = execFileSync('losetup', ['--find', '--show', file], { encoding: 'latin1' }).trim();
  spawnSync('losetup', ['--direct-io=on', device], { stdio: 'ignore' });
  return device;
}
