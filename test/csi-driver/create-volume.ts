import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { fsTypeOf, volumeModeOf } from './capabilities.ts';
import { chooseCapacity, satisfies } from './capacity.ts';
import { copyContent, formatFor, growContent, makeContent, modeFor } from './content.ts';
import { filesystemOf } from './filesystems.ts';
import type { KeyLock } from './key-lock.ts';
import type { CreateVolumeRequest } from './messages.ts';
import { type ClassParameters, ownParameters, parseClassParameters } from './parameters.ts';
import { entryId, type Pool } from './pool.ts';
import type { VolumeRecord } from './records.ts';
import { takeRoom } from './room.ts';
import { alreadyExists, invalidArgument, required, resourceExhausted } from './status-error.ts';
import type { NodeTopology } from './topology.ts';
import { findSource, sourceReference, type VolumeSource } from './volume-source.ts';

/** Makes a volume, empty or as a copy of a volume or snapshot, or finds the one that an earlier call has made. */
export async function createVolume(
  pool: Pool,
  locks: KeyLock,
  topology: NodeTopology,
  request: CreateVolumeRequest,
): Promise<VolumeRecord> {
  const id = entryId(required('name', request.name));
  volumeModeOf(request.volume_capabilities);
  const parameters = parseClassParameters(request.parameters);
  const reference = sourceReference(request.volume_content_source);
  return locks.hold(`volume/${id}`, async () => {
    const existing = await pool.volumes.get(id);
    if (existing) {
      return sameVolume(existing, request, reference);
    }
    await setTimeout((parameters.delaySeconds + parameters.callSeconds) * 1000);
    if (!reference) {
      return addVolume(pool, locks, plan(id, request, topology, parameters, undefined), undefined);
    }
    return locks.hold(`${reference.type}/${reference.id}`, async () => {
      const source = await findSource(pool, reference, parameters);
      return addVolume(pool, locks, plan(id, request, topology, parameters, source), source);
    });
  });
}

/** Decides what the new volume is. */
function plan(
  id: string,
  request: CreateVolumeRequest,
  topology: NodeTopology,
  parameters: ClassParameters,
  source: VolumeSource | undefined,
): VolumeRecord {
  const capabilities = request.volume_capabilities;
  const format = formatFor(volumeModeOf(capabilities), fsTypeOf(capabilities), parameters);
  if (source && source.format !== format) {
    throw invalidArgument(`a ${format} cannot be made from a ${source.format}, which its source is`);
  }
  return {
    id,
    format,
    capacityBytes: chooseCapacity(request.capacity_range, format, {
      atLeast: source?.neededBytes ?? 0,
      roundUpBytes: parameters.roundUpBytes,
    }),
    parameters: ownParameters(request.parameters),
    source: source?.reference,
    node: chooseNode(topology, request, parameters, source),
  };
}

/** A source on one node keeps its copies there, whatever their class. */
function chooseNode(
  topology: NodeTopology,
  request: CreateVolumeRequest,
  parameters: ClassParameters,
  source: VolumeSource | undefined,
): string | undefined {
  return parameters.local || source?.node !== undefined
    ? topology.choose(request.accessibility_requirements, source?.node)
    : undefined;
}

function sameVolume(
  existing: VolumeRecord,
  request: CreateVolumeRequest,
  reference: VolumeRecord['source'],
): VolumeRecord {
  const differences = [
    !satisfies(request.capacity_range, existing.capacityBytes) && 'capacity',
    modeFor(existing.format) !== volumeModeOf(request.volume_capabilities) && 'volume mode',
    !isDeepStrictEqual(existing.parameters, ownParameters(request.parameters)) && 'parameters',
    !isDeepStrictEqual(existing.source, reference) && 'content source',
  ].filter((difference) => difference !== false);
  if (differences.length > 0) {
    throw alreadyExists(`volume ${existing.id} exists with another ${differences.join(', ')}`);
  }
  return existing;
}

async function addVolume(
  pool: Pool,
  locks: KeyLock,
  volume: VolumeRecord,
  source: VolumeSource | undefined,
): Promise<VolumeRecord> {
  await takeRoom(pool, locks, volume.parameters, volume.capacityBytes, resourceExhausted, () =>
    pool.volumes.create(volume, async (path) => {
      if (!source) {
        await makeContent(volume.format, path, volume.capacityBytes);
        return;
      }
      await source.flush();
      await copyContent(volume.format, source.contentPath, path);
      await filesystemOf(volume.format)?.setApart(path);
      await growContent(volume.format, path, volume.capacityBytes);
    }),
  );
  return volume;
}
