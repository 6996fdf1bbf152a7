import { stat, statfs } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { filesystemOf, growFilesystem } from './filesystems.ts';
import type { KeyLock } from './key-lock.ts';
import { findLoopDevice, growLoopDevice } from './loop-devices.ts';
import type {
  NodeExpandVolumeRequest,
  NodeGetVolumeStatsRequest,
  NodePublishVolumeRequest,
  NodeUnpublishVolumeRequest,
} from './messages.ts';
import { parseClassParameters } from './parameters.ts';
import { getVolume, type Pool } from './pool.ts';
import { publish } from './publish.ts';
import type { VolumeRecord } from './records.ts';
import type { Method } from './service.ts';
import { failedPrecondition, notFound, required } from './status-error.ts';
import type { NodeTopology } from './topology.ts';

const CAPABILITIES = ['GET_VOLUME_STATS', 'EXPAND_VOLUME', 'SINGLE_NODE_MULTI_WRITER'];

/** The CSI Node service. */
export function node(pool: Pool, locks: KeyLock, topology: NodeTopology, nodeId: string): Record<string, Method> {
  return {
    NodeGetCapabilities: async () => ({ capabilities: CAPABILITIES.map((type) => ({ rpc: { type } })) }),

    NodeGetInfo: async () => ({ node_id: nodeId, accessible_topology: topology.own() }),

    NodePublishVolume: async (request: NodePublishVolumeRequest) => {
      const id = required('volume_id', request.volume_id);
      required('target_path', request.target_path);
      required('volume_capability', request.volume_capability);
      await locks.hold(`published/${id}`, async () => {
        const volume = await getVolume(pool, id);
        await takeCallTime(volume);
        if (volume.node !== undefined && volume.node !== nodeId) {
          throw failedPrecondition(`volume ${id} is on node ${volume.node}`);
        }
        await publish(pool, volume, request);
      });
      return {};
    },

    NodeUnpublishVolume: async (request: NodeUnpublishVolumeRequest) => {
      const id = required('volume_id', request.volume_id);
      const targetPath = required('target_path', request.target_path);
      await locks.hold(`published/${id}`, async () => {
        const volume = await pool.volumes.get(id);
        if (volume) {
          await takeCallTime(volume);
        }
        await pool.publications.remove(id, targetPath);
      });
      return {};
    },

    NodeGetVolumeStats: async (request: NodeGetVolumeStatsRequest) => {
      const volume = await getPublished(pool, request);
      return { usage: await usage(volume, request.volume_path) };
    },

    NodeExpandVolume: async (request: NodeExpandVolumeRequest) => {
      const volume = await getPublished(pool, request);
      await takeCallTime(volume);
      await locks.hold(`published/${volume.id}`, () => growOnNode(pool, volume, request.volume_path));
      return { capacity_bytes: volume.capacityBytes };
    },
  };
}

/** Volumes of slow classes are slow on their nodes too. */
async function takeCallTime(volume: VolumeRecord): Promise<void> {
  await setTimeout(parseClassParameters(volume.parameters).callSeconds * 1000);
}

/** The volume that the request says is at its path. */
async function getPublished(pool: Pool, request: { volume_id: string; volume_path: string }): Promise<VolumeRecord> {
  const id = required('volume_id', request.volume_id);
  const path = required('volume_path', request.volume_path);
  const volume = await getVolume(pool, id);
  const records = await pool.publications.ofVolume(id);
  const isThere =
    records.some((record) => record.targetPath === path) || (records.length > 0 && (await isBlockDevice(path)));
  if (!isThere) {
    throw notFound(`volume ${id} is not at ${path}`);
  }
  return volume;
}

/** The kubelet asks for the statistics of a Block volume where it has mounted the device a second time. */
async function isBlockDevice(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isBlockDevice(),
    () => false,
  );
}

async function growOnNode(pool: Pool, volume: VolumeRecord, path: string): Promise<void> {
  const filesystem = filesystemOf(volume.format);
  if (filesystem) {
    await growFilesystem(filesystem, path, volume.capacityBytes);
  } else if (volume.format === 'device-image') {
    const device = await findLoopDevice(pool.volumes.contentPath(volume.id));
    if (device) {
      await growLoopDevice(device);
    }
  }
}

/** A folder shares the pool's space with all others, and says so. */
async function usage(volume: VolumeRecord, path: string): Promise<object[]> {
  if (volume.format === 'device-image') {
    return [{ unit: 'BYTES', total: volume.capacityBytes }];
  }
  const { blocks, bavail, bfree, bsize, files, ffree } = await statfs(path);
  return [
    { unit: 'BYTES', total: blocks * bsize, available: bavail * bsize, used: (blocks - bfree) * bsize },
    { unit: 'INODES', total: files, available: ffree, used: files - ffree },
  ];
}
