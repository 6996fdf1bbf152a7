import { mkdir, writeFile } from 'node:fs/promises';
import { SINGLE_WRITER, volumeModeOf } from './capabilities.ts';
import { modeFor } from './content.ts';
import { filesystems, growFilesystem } from './filesystems.ts';
import { attachLoopDevice, detachLoopDevice, findLoopDevice, growLoopDevice, holdLoopDevice } from './loop-devices.ts';
import type { NodePublishVolumeRequest, VolumeCapability } from './messages.ts';
import { bindMount, mountImage, remountReadOnly } from './mounts.ts';
import type { Pool } from './pool.ts';
import type { PublicationRecord, VolumeRecord } from './records.ts';
import { alreadyExists, failedPrecondition, invalidArgument, required } from './status-error.ts';

/** Brings a volume to a target path of this node; a call that is repeated finds it there. */
export async function publish(pool: Pool, volume: VolumeRecord, request: NodePublishVolumeRequest): Promise<void> {
  const targetPath = required('target_path', request.target_path);
  const capability = required('volume_capability', request.volume_capability);
  if (volumeModeOf([capability]) !== modeFor(volume.format)) {
    throw invalidArgument(`volume ${volume.id} has volume mode ${modeFor(volume.format)}`);
  }
  const wanted = {
    volumeId: volume.id,
    targetPath,
    readonly: request.readonly || isReaderOnly(capability),
    singleWriter: capability.access_mode?.mode === SINGLE_WRITER,
  };
  const published = await pool.publications.ofVolume(volume.id);
  const here = published.find((record) => record.targetPath === targetPath);
  if (here) {
    if (here.readonly !== wanted.readonly) {
      throw alreadyExists(`volume ${volume.id} is at ${targetPath}, ${here.readonly ? 'read-only' : 'for writing'}`);
    }
    return;
  }
  const exclusive = published.find((record) => record.singleWriter || wanted.singleWriter);
  if (exclusive) {
    throw failedPrecondition(`volume ${volume.id} is for one writer only, at ${exclusive.targetPath}`);
  }
  await pool.publications.remove(volume.id, targetPath);
  await mountVolume(pool, volume, wanted, capability.mount?.mount_flags ?? []);
}

async function mountVolume(
  pool: Pool,
  volume: VolumeRecord,
  record: PublicationRecord,
  flags: string[],
): Promise<void> {
  const { targetPath, readonly } = record;
  const content = pool.volumes.contentPath(volume.id);
  switch (volume.format) {
    case 'directory':
      await pool.publications.add(record);
      await mkdir(targetPath, { recursive: true });
      await bindMount(content, targetPath, readonly ? [...flags, 'ro'] : flags);
      return;
    case 'filesystem-image':
    case 'ext4-image':
    case 'quota-image': {
      const filesystem = filesystems[volume.format];
      await pool.publications.add(record);
      await mkdir(targetPath, { recursive: true });
      if (!(await findLoopDevice(content))) {
        await filesystem.growUnmounted(content);
      }
      await mountImage(content, targetPath, filesystem.type, [...filesystem.mountOptions, ...flags]);
      await growFilesystem(filesystem, targetPath, volume.capacityBytes);
      if (readonly) {
        await remountReadOnly(targetPath);
      }
      return;
    }
    case 'device-image': {
      const device = await attachLoopDevice(content);
      const holder = await holdLoopDevice(device);
      await pool.publications.add({ ...record, loop: { device, holder } });
      // The holder has it open, so that it goes when the holder and whoever uses it are gone.
      await detachLoopDevice(device);
      await growLoopDevice(device);
      await writeFile(targetPath, '');
      await bindMount(device, targetPath, []);
      return;
    }
  }
}

function isReaderOnly(capability: VolumeCapability): boolean {
  return capability.access_mode?.mode.endsWith('READER_ONLY') ?? false;
}
