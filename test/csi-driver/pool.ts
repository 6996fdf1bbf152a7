import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EntryStore } from './entry-store.ts';
import { detachLoopDevice, findLoopDevice } from './loop-devices.ts';
import { Publications } from './publications.ts';
import { type SnapshotRecord, snapshotRecord, type VolumeRecord, volumeRecord } from './records.ts';
import { notFound } from './status-error.ts';

/**
 * The folder on an XFS filesystem that holds everything. Nothing is cached, so that the drivers of several nodes can
 * share one pool.
 */
export interface Pool {
  readonly directory: string;
  readonly volumes: EntryStore<VolumeRecord>;
  readonly snapshots: EntryStore<SnapshotRecord>;
  readonly publications: Publications;
}

/** Makes the folders that are missing, and clears what this node's driver left unfinished when it was killed. */
export async function openPool(directory: string, nodeId: string): Promise<Pool> {
  const work = join(directory, 'work', nodeId);
  const volumes = join(directory, 'volumes');
  const snapshots = join(directory, 'snapshots');
  await rm(work, { recursive: true, force: true });
  for (const folder of [work, volumes, snapshots]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  const pool = {
    directory,
    volumes: new EntryStore(volumes, work, volumeRecord),
    snapshots: new EntryStore(snapshots, work, snapshotRecord),
    publications: new Publications(join(directory, 'publications'), nodeId),
  };
  await pool.publications.open();
  await detachStaleLoopDevices(pool);
  return pool;
}

/**
 * The identifier of a volume or snapshot of that name: the same for every call with the name, as idempotency asks,
 * and fit to be a file name. The names that the sidecars make are kept as they are.
 */
export function entryId(name: string): string {
  return /^[a-z0-9][a-z0-9-]{0,62}$/.test(name) ? name : `name-${createHash('sha256').update(name).digest('hex')}`;
}

/** @throws StatusError NOT_FOUND */
export async function getVolume(pool: Pool, id: string): Promise<VolumeRecord> {
  const volume = await pool.volumes.get(id);
  if (!volume) {
    throw notFound(`volume ${id} does not exist`);
  }
  return volume;
}

async function detachStaleLoopDevices(pool: Pool): Promise<void> {
  for (const volume of await pool.volumes.list()) {
    if (volume.format !== 'directory' && !(await pool.publications.isPublished(volume.id))) {
      const device = await findLoopDevice(pool.volumes.contentPath(volume.id));
      if (device) {
        await detachLoopDevice(device);
      }
    }
  }
}
