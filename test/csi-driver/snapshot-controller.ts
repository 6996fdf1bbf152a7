import { setTimeout } from 'node:timers/promises';
import { copyContent } from './content.ts';
import { flushVolume } from './flush.ts';
import type { KeyLock } from './key-lock.ts';
import type { CreateSnapshotRequest, ListSnapshotsRequest, Snapshot } from './messages.ts';
import { page } from './pages.ts';
import { parseClassParameters, parseSnapshotClassParameters } from './parameters.ts';
import { entryId, getVolume, type Pool } from './pool.ts';
import type { SnapshotRecord } from './records.ts';
import type { Method } from './service.ts';
import { alreadyExists, failedPrecondition, required } from './status-error.ts';

/** The CSI Controller service, snapshots. */
export function snapshotController(pool: Pool, locks: KeyLock): Record<string, Method> {
  return {
    CreateSnapshot: async (request: CreateSnapshotRequest) => ({
      snapshot: toSnapshot(await createSnapshot(pool, locks, request)),
    }),

    DeleteSnapshot: async (request: { snapshot_id: string }) => {
      const id = required('snapshot_id', request.snapshot_id);
      await locks.hold(`snapshot/${id}`, async () => {
        if (await pool.snapshots.get(id)) {
          await pool.snapshots.remove(id);
        }
      });
      return {};
    },

    ListSnapshots: async (request: ListSnapshotsRequest) => {
      const { snapshot_id: id, source_volume_id: volumeId } = request;
      const matching = (await pool.snapshots.list()).filter(
        (record) => (id === '' || record.id === id) && (volumeId === '' || record.sourceVolumeId === volumeId),
      );
      const { entries, nextToken } = page(matching, request.starting_token, request.max_entries);
      return { entries: entries.map((record) => ({ snapshot: toSnapshot(record) })), next_token: nextToken };
    },
  };
}

async function createSnapshot(pool: Pool, locks: KeyLock, request: CreateSnapshotRequest): Promise<SnapshotRecord> {
  const id = entryId(required('name', request.name));
  const sourceVolumeId = required('source_volume_id', request.source_volume_id);
  const { readyAfterSeconds } = parseSnapshotClassParameters(request.parameters);
  return locks.hold(`snapshot/${id}`, async () => {
    const existing = await pool.snapshots.get(id);
    if (existing) {
      if (existing.sourceVolumeId !== sourceVolumeId) {
        throw alreadyExists(`snapshot ${id} exists, of volume ${existing.sourceVolumeId}`);
      }
      return existing;
    }
    const volume = await getVolume(pool, sourceVolumeId);
    const parameters = parseClassParameters(volume.parameters);
    if (!parameters.snapshot) {
      throw failedPrecondition(`volume ${volume.id} has no snapshots: its class has snapshot: "false"`);
    }
    await setTimeout(parameters.delaySeconds * 1000);
    return locks.hold(`volume/${sourceVolumeId}`, () => copyToSnapshot(pool, id, sourceVolumeId, readyAfterSeconds));
  });
}

async function copyToSnapshot(
  pool: Pool,
  id: string,
  sourceVolumeId: string,
  readyAfterSeconds: number,
): Promise<SnapshotRecord> {
  const volume = await getVolume(pool, sourceVolumeId);
  const createdAt = Date.now();
  const snapshot = {
    id,
    sourceVolumeId,
    format: volume.format,
    sizeBytes: volume.capacityBytes,
    createdAt,
    readyAt: createdAt + readyAfterSeconds * 1000,
    node: volume.node,
  };
  await pool.snapshots.create(snapshot, async (path) => {
    await flushVolume(pool, volume);
    await copyContent(volume.format, pool.volumes.contentPath(volume.id), path);
  });
  return snapshot;
}

function toSnapshot(record: SnapshotRecord): Snapshot {
  return {
    snapshot_id: record.id,
    source_volume_id: record.sourceVolumeId,
    size_bytes: record.sizeBytes,
    creation_time: { seconds: Math.floor(record.createdAt / 1000), nanos: (record.createdAt % 1000) * 1_000_000 },
    ready_to_use: Date.now() >= record.readyAt,
  };
}
