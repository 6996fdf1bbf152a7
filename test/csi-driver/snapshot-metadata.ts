import { type ServerWritableStream, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Logger } from '../../src/base/logger.ts';
import { allocatedRanges, changedRanges } from './block-ranges.ts';
import { fileExtents } from './file-extents.ts';
import { broken, misbehave, type Told } from './misbehaviour.ts';
import type { Pool } from './pool.ts';
import type { SnapshotRecord } from './records.ts';
import { invalidArgument, notFound, outOfRange, required, StatusError } from './status-error.ts';

interface MetadataRequest {
  readonly snapshot_id?: string;
  readonly base_snapshot_id?: string;
  readonly target_snapshot_id?: string;
  readonly starting_offset: number;
  readonly max_results: number;
}

/** Ranges of a message, where a request asks for no number of its own. */
const RANGES_OF_MESSAGE = 256;

/** The CSI SnapshotMetadata service: blocks of snapshots by the extents of their files. */
export function snapshotMetadata(pool: Pool, log: Logger): UntypedServiceImplementation {
  return {
    GetMetadataAllocated: streamed('GetMetadataAllocated', log, async ({ snapshot_id: id }) => {
      const snapshot = await blockSnapshot(pool, 'snapshot_id', id);
      const ranges = allocatedRanges(await extentsOf(pool, snapshot), snapshot.sizeBytes);
      return misbehave(snapshot.misbehaviour, { capacity: snapshot.sizeBytes, ranges });
    }),

    GetMetadataDelta: streamed('GetMetadataDelta', log, async (request) => {
      const base = await blockSnapshot(pool, 'base_snapshot_id', request.base_snapshot_id);
      const target = await blockSnapshot(pool, 'target_snapshot_id', request.target_snapshot_id);
      if (base.sourceVolumeId !== target.sourceVolumeId) {
        throw invalidArgument(`snapshots ${base.id} and ${target.id} are of different volumes`);
      }
      const [before, after] = await Promise.all([extentsOf(pool, base), extentsOf(pool, target)]);
      const capacity = target.sizeBytes;
      return misbehave(target.misbehaviour, { capacity, ranges: changedRanges(before, after, capacity) });
    }),
  };
}

async function blockSnapshot(pool: Pool, field: string, given: string | undefined): Promise<SnapshotRecord> {
  const id = required(field, given);
  const snapshot = await pool.snapshots.get(id);
  if (!snapshot) throw notFound(`snapshot ${id} does not exist`);
  if (snapshot.format !== 'device-image') throw invalidArgument(`snapshot ${id} is of a Filesystem volume`);
  return snapshot;
}

const extentsOf = (pool: Pool, { id }: SnapshotRecord) => fileExtents(pool.snapshots.contentPath(id));

function streamed(method: string, log: Logger, tell: (request: MetadataRequest) => Promise<Told>) {
  return (stream: ServerWritableStream<MetadataRequest, object>): void => {
    const { request } = stream;
    tell(request)
      .then((told) => send(stream, told))
      .then((sent) => log.info('call', { method, request, ...sent }))
      .catch((error: unknown) => {
        const code = error instanceof StatusError ? error.code : status.INTERNAL;
        const details = (error as Error).message;
        log.warn('call failed', { method, request, code: status[code], details });
        stream.emit('error', { code, details });
      });
  };
}

/** @returns how much was sent */
async function send(
  stream: ServerWritableStream<MetadataRequest, object>,
  { capacity, ranges, breaksAfter = Infinity }: Told,
): Promise<{ ranges: number; bytes: number }> {
  const { starting_offset: from, max_results: most } = stream.request;
  if (from < 0 || from > capacity) throw outOfRange(`starting_offset ${from} is not within the volume of ${capacity}`);
  const left = ranges.filter(({ offset, length }) => offset + length > from);
  const sent = left.slice(0, breaksAfter);
  const ofMessage = Math.min(most || RANGES_OF_MESSAGE, breaksAfter || 1);
  for (let at = 0; at < sent.length; at += ofMessage) {
    const block_metadata = sent
      .slice(at, at + ofMessage)
      .map(({ offset, length }) => ({ byte_offset: offset, size_bytes: length }));
    stream.write({ block_metadata_type: 'VARIABLE_LENGTH', volume_capacity_bytes: capacity, block_metadata });
  }
  if (sent.length < left.length) {
    // What is written before a failure has to arrive before it.
    await new Promise((resolve) => setTimeout(resolve, 50));
    throw broken();
  }
  stream.end();
  return { ranges: sent.length, bytes: sent.reduce((sum, { length }) => sum + length, 0) };
}
