import type { BlockRange } from '../base/block-range.ts';

export type { BlockRange };

/** A VolumeSnapshot of a Block volume. */
export interface NamedSnapshot {
  readonly namespace: string;
  readonly name: string;
}

/**
 * What a CSI driver says of the blocks of snapshots (Kubernetes "changed block tracking", KEP-3314). It is believed for
 * speed only: whoever uses an answer checks a sample of what it leaves out.
 *
 * Answers are ascending, without overlaps, within the capacity, and have at most MOST_BLOCK_RANGES ranges: where there
 * are more, those with the smallest gaps between them are merged.
 */
export interface SnapshotMetadata {
  /**
   * Returns what is allocated in a snapshot. An allocated range may read as zeros.
   *
   * @param capacity of the snapshot's volume in bytes
   * @throws TransferError where the service is away, refuses, or answers nonsense; the reason of the signal
   */
  allocated(snapshot: NamedSnapshot, capacity: number, signal: AbortSignal): Promise<BlockRange[]>;
  /**
   * Returns what has changed between two snapshots of one volume: written or freed.
   *
   * @param baseSnapshotHandle the CSI handle of the earlier one, `VolumeSnapshotContent.status.snapshotHandle`
   * @param capacity of the later snapshot's volume in bytes
   * @throws TransferError as `allocated` does
   */
  delta(
    baseSnapshotHandle: string,
    target: NamedSnapshot,
    capacity: number,
    signal: AbortSignal,
  ): Promise<BlockRange[]>;
}
