import { filesystemOf } from './filesystems.ts';
import { findLoopDevice, flushLoopDevice } from './loop-devices.ts';
import { flushFilesystem } from './mounts.ts';
import type { Pool } from './pool.ts';
import type { VolumeRecord } from './records.ts';

/**
 * Makes the volume's content in the pool what a pod that uses the volume sees. Image files only: the kernel writes a
 * folder's files back by itself when their blocks are shared, but what it has cached above a loop device it does not.
 */
export async function flushVolume(pool: Pool, volume: VolumeRecord): Promise<void> {
  if (volume.format === 'directory') {
    return;
  }
  const device = await findLoopDevice(pool.volumes.contentPath(volume.id));
  if (!device) {
    return;
  }
  if (filesystemOf(volume.format)) {
    const [mounted] = await pool.publications.ofVolume(volume.id);
    if (mounted) {
      await flushFilesystem(mounted.targetPath);
    }
  }
  await flushLoopDevice(device);
}
