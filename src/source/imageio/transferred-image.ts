import { TransferError } from '../../base/errors.ts';
import { type DiskDocument, diskDocument, diskSnapshotsDocument } from './documents.ts';
import type { Engine } from './engine.ts';

/** A stage of a multi-stage import, by identifiers of the disk's snapshots. */
export interface Stage {
  /** The snapshot that the target holds; empty where it holds none. */
  readonly previous: string;
  /** The snapshot that it is to hold; the disk's own image where it is the last one. */
  readonly current: string;
}

/** What is transferred of a disk. */
export interface TransferredImage {
  readonly disk: string;
  /** The snapshot; undefined for the disk as it is. */
  readonly snapshot: string | undefined;
  /** Whether only what differs from the snapshot before it is transferred. */
  readonly isDelta: boolean;
  /** Differs whenever the content does. */
  readonly version: string;
}

/**
 * Finds a disk, and the snapshot of a stage.
 *
 * @throws TransferError NotFound, and others
 */
export async function findImage(engine: Engine, disk: string, stage: Stage | undefined): Promise<TransferredImage> {
  const found = await engine.get(`/disks/${encodeURIComponent(disk)}`, diskDocument, `disk ${disk}`);
  const isDelta = stage !== undefined && stage.previous !== '';
  if (stage === undefined || stage.current === found.image_id) {
    const version = `${found.image_id ?? ''}/${found.provisioned_size ?? ''}/${found.actual_size ?? ''}`;
    return { disk: found.id, snapshot: undefined, isDelta, version };
  }
  const { parent } = await findSnapshot(engine, found, stage.current);
  if (isDelta && parent !== undefined && parent.id !== stage.previous) {
    throw new TransferError(
      'RequestRejected',
      `snapshot ${stage.current} of disk ${disk} follows ${parent.id}, and not ${stage.previous}: name the snapshots in the ` +
        'order in which they were made',
    );
  }
  return { disk: found.id, snapshot: stage.current, isDelta, version: stage.current };
}

async function findSnapshot(engine: Engine, { id: disk, storage_domains }: DiskDocument, snapshot: string) {
  for (const { id } of storage_domains?.storage_domain ?? []) {
    const path = `/storagedomains/${id}/disksnapshots`;
    const { disk_snapshot: known } = await engine.get(path, diskSnapshotsDocument, `the snapshots of disk ${disk}`);
    const found = known.find((one) => one.id === snapshot);
    if (found !== undefined) return found;
  }
  throw new TransferError(
    'NotFound',
    `disk ${disk} has no snapshot ${snapshot} at the engine ${engine.location.host}: it may have been removed; begin anew with ` +
      'snapshots that are there',
  );
}
