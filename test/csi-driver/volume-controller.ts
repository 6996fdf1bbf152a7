import { setTimeout } from 'node:timers/promises';
import { volumeModeOf } from './capabilities.ts';
import { chooseCapacity } from './capacity.ts';
import { growContent, growsOnNode, modeFor } from './content.ts';
import { createVolume } from './create-volume.ts';
import type { KeyLock } from './key-lock.ts';
import type {
  ControllerExpandVolumeRequest,
  CreateVolumeRequest,
  GetCapacityRequest,
  ListVolumesRequest,
  ValidateVolumeCapabilitiesRequest,
  Volume,
} from './messages.ts';
import { page } from './pages.ts';
import { parseClassParameters } from './parameters.ts';
import { getVolume, type Pool } from './pool.ts';
import type { VolumeRecord } from './records.ts';
import { classRoom, poolRoom, takeRoom } from './room.ts';
import type { Method } from './service.ts';
import { failedPrecondition, invalidArgument, outOfRange, required } from './status-error.ts';
import type { NodeTopology } from './topology.ts';
import { contentSourceOf } from './volume-source.ts';

const CAPABILITIES = [
  'CREATE_DELETE_VOLUME',
  'LIST_VOLUMES',
  'GET_CAPACITY',
  'CREATE_DELETE_SNAPSHOT',
  'LIST_SNAPSHOTS',
  'CLONE_VOLUME',
  'EXPAND_VOLUME',
  'SINGLE_NODE_MULTI_WRITER',
];

/** The CSI Controller service, volumes; snapshots are in snapshot-controller.ts. */
export function volumeController(pool: Pool, locks: KeyLock, topology: NodeTopology): Record<string, Method> {
  const toVolume = (record: VolumeRecord): Volume => ({
    volume_id: record.id,
    capacity_bytes: record.capacityBytes,
    content_source: contentSourceOf(record.source),
    accessible_topology: topology.of(record.node),
  });

  return {
    ControllerGetCapabilities: async () => ({ capabilities: CAPABILITIES.map((type) => ({ rpc: { type } })) }),

    CreateVolume: async (request: CreateVolumeRequest) => ({
      volume: toVolume(await createVolume(pool, locks, topology, request)),
    }),

    DeleteVolume: async (request: { volume_id: string }) => {
      const id = required('volume_id', request.volume_id);
      await locks.hold(`volume/${id}`, async () => {
        const volume = await pool.volumes.get(id);
        if (volume) {
          await setTimeout(parseClassParameters(volume.parameters).callSeconds * 1000);
          await locks.hold(`published/${id}`, () => removeUnpublished(pool, id));
        }
      });
      return {};
    },

    ValidateVolumeCapabilities: async (request: ValidateVolumeCapabilitiesRequest) => {
      const volume = await getVolume(pool, required('volume_id', request.volume_id));
      const mode = volumeModeOf(request.volume_capabilities);
      if (mode !== modeFor(volume.format)) {
        return { message: `volume ${volume.id} has volume mode ${modeFor(volume.format)}` };
      }
      const { volume_context, volume_capabilities, parameters } = request;
      return { confirmed: { volume_context, volume_capabilities, parameters } };
    },

    ListVolumes: async (request: ListVolumesRequest) => {
      const { entries, nextToken } = page(await pool.volumes.list(), request.starting_token, request.max_entries);
      return { entries: entries.map((record) => ({ volume: toVolume(record) })), next_token: nextToken };
    },

    GetCapacity: async (request: GetCapacityRequest) => ({
      available_capacity: Math.min(await classRoom(pool, request.parameters), await poolRoom(pool)),
    }),

    ControllerExpandVolume: async (request: ControllerExpandVolumeRequest) => {
      const id = required('volume_id', request.volume_id);
      const range = required('capacity_range', request.capacity_range);
      return locks.hold(`volume/${id}`, async () => {
        const volume = await getVolume(pool, id);
        const { roundUpBytes } = parseClassParameters(volume.parameters);
        const wanted = chooseCapacity(range, volume.format, { roundUpBytes });
        const capacityBytes = Math.max(wanted, volume.capacityBytes);
        if (capacityBytes > volume.capacityBytes) {
          await expand(pool, locks, volume, capacityBytes);
        }
        return { capacity_bytes: capacityBytes, node_expansion_required: growsOnNode(volume.format) };
      });
    },
  };
}

async function removeUnpublished(pool: Pool, id: string): Promise<void> {
  if (await pool.publications.isPublished(id)) {
    throw failedPrecondition(`volume ${id} is published on a node`);
  }
  await pool.volumes.remove(id);
}

async function expand(pool: Pool, locks: KeyLock, volume: VolumeRecord, capacityBytes: number): Promise<void> {
  const parameters = parseClassParameters(volume.parameters);
  if (!parameters.expansion) {
    throw invalidArgument(`volume ${volume.id} cannot grow: its class has expansion: "false"`);
  }
  await setTimeout((parameters.delaySeconds + parameters.callSeconds) * 1000);
  await takeRoom(pool, locks, volume.parameters, capacityBytes - volume.capacityBytes, outOfRange, async () => {
    await growContent(volume.format, pool.volumes.contentPath(volume.id), capacityBytes);
    await pool.volumes.replace({ ...volume, capacityBytes });
  });
}
