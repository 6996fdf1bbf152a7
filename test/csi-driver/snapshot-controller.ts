import { setTimeout } from 'node:timers/promises';
import { copyContent, usedBytes } from './content.ts';
import { flushVolume } from './flush.ts';
import type { KeyLock } from './key-lock.ts';
import type { CreateSnapshotRequest, ListSnapshotsRequest, Snapshot } from './messages.ts';
import { page } from './pages.ts';
import { parseClassParameters, parseSnapshotClassParameters, type SnapshotClassParameters } from './parameters.ts';
import { entryId, getVolume, type Pool } from './pool.ts';
import { restoreBytesOf, type SnapshotRecord } from './records.ts';
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
  const classParameters = parseSnapshotClassParameters(request.parameters);
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
    await setTimeout((parameters.delaySeconds + parameters.callSeconds) * 1000);
    return locks.hold(`volume/${sourceVolumeId}`, () => copyToSnapshot(pool, id, sourceVolumeId, classParameters));
  });
}

async function copyToSnapshot(
  pool: Pool,
  id: string,
  sourceVolumeId: string,
  { readyAfterSeconds, blockMetadata }: SnapshotClassParameters,
): Promise<SnapshotRecord> {
  const volume = await getVolume(pool, sourceVolumeId);
  const createdAt = Date.now();
  const content = pool.volumes.contentPath(volume.id);
  await flushVolume(pool, volume);
  const tellsUsed = parseClassParameters(volume.parameters).restoreSize === 'used';
  const snapshot = {
    id,
    sourceVolumeId,
    format: volume.format,
    sizeBytes: volume.capacityBytes,
    ...(tellsUsed ? { restoreBytes: Math.max(1, await usedBytes(volume.format, content)) } : {}),
    createdAt,
    readyAt: createdAt + readyAfterSeconds * 1000,
    ...(blockMetadata && { misbehaviour: blockMetadata }),
    node: volume.node,
  };
  await pool.snapshots.create(snapshot, (path) => copyContent(volume.format, content, path));
  return snapshot;
}

function toSnapshot(record: SnapshotRecord): Snapshot {
  return {
    snapshot_id: record.id,
    source_volume_id: record.sourceVolumeId,
    size_bytes: restoreBytesOf(record),
    creation_time: { seconds: Math.floor(record.createdAt / 1000), nanos: (record.createdAt % 1000) * 1_000_000 },
    ready_to_use: Date.now() >= record.readyAt,
  };
}
