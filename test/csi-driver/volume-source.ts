import { flushVolume } from './flush.ts';
import type { VolumeContentSource } from './messages.ts';
import { type ClassParameters, parseClassParameters } from './parameters.ts';
import { getVolume, type Pool } from './pool.ts';
import { type ContentFormat, restoreBytesOf, type VolumeRecord } from './records.ts';
import { failedPrecondition, invalidArgument, notFound, required } from './status-error.ts';

/** What a new volume is a copy of. */
export interface VolumeSource {
  reference: NonNullable<VolumeRecord['source']>;
  format: ContentFormat;
  /** Bytes that a copy has at least. */
  neededBytes: number;
  contentPath: string;
  node: string | undefined;
  /** Brings the content up to date with what pods have written. */
  flush: () => Promise<void>;
}

/** How the request names its source, as it is recorded; undefined for an empty volume. */
export function sourceReference(source: VolumeContentSource | null): VolumeRecord['source'] {
  if (!source) {
    return undefined;
  }
  return source.volume
    ? { type: 'volume', id: required('volume_content_source.volume.volume_id', source.volume.volume_id) }
    : { type: 'snapshot', id: required('volume_content_source.snapshot.snapshot_id', source.snapshot?.snapshot_id) };
}

/**
 * Finds the source of a new volume.
 *
 * @param parameters of the new volume's class
 * @throws StatusError NOT_FOUND, or INVALID_ARGUMENT where a class forbids cloning
 */
export async function findSource(
  pool: Pool,
  reference: NonNullable<VolumeRecord['source']>,
  parameters: ClassParameters,
): Promise<VolumeSource> {
  return reference.type === 'volume' ? sourceVolume(pool, reference, parameters) : sourceSnapshot(pool, reference);
}

/** A recorded source in the words of CSI. */
export function contentSourceOf(reference: VolumeRecord['source']): VolumeContentSource | undefined {
  if (!reference) {
    return undefined;
  }
  return reference.type === 'volume'
    ? { volume: { volume_id: reference.id } }
    : { snapshot: { snapshot_id: reference.id } };
}

async function sourceVolume(
  pool: Pool,
  reference: NonNullable<VolumeRecord['source']>,
  parameters: ClassParameters,
): Promise<VolumeSource> {
  const volume = await getVolume(pool, reference.id);
  if (!parameters.clone || !parseClassParameters(volume.parameters).clone) {
    throw invalidArgument(
      `volume ${reference.id} cannot be cloned: its class, or the new volume's, has clone: "false"`,
    );
  }
  return {
    reference,
    format: volume.format,
    neededBytes: volume.capacityBytes,
    contentPath: pool.volumes.contentPath(volume.id),
    node: volume.node,
    flush: () => flushVolume(pool, volume),
  };
}

async function sourceSnapshot(pool: Pool, reference: NonNullable<VolumeRecord['source']>): Promise<VolumeSource> {
  const snapshot = await pool.snapshots.get(reference.id);
  if (!snapshot) {
    throw notFound(`source snapshot ${reference.id} does not exist`);
  }
  if (Date.now() < snapshot.readyAt) {
    throw failedPrecondition(`source snapshot ${reference.id} is not ready to use yet`);
  }
  return {
    reference,
    format: snapshot.format,
    // A quota may be any that holds the files; a filesystem does not shrink.
    neededBytes: snapshot.format === 'quota-image' ? restoreBytesOf(snapshot) : snapshot.sizeBytes,
    contentPath: pool.snapshots.contentPath(snapshot.id),
    node: snapshot.node,
    flush: async () => undefined,
  };
}
