import type { DiskSource } from '../../base/disk-source.ts';
import { hashLocation, type Subject } from '../checkpoint/checkpoint.ts';

/** A stage of an import in several stages: it brings the target from one snapshot of a disk to a later one. */
export interface Stage {
  /** Snapshot that the target holds; empty for the first stage, which copies everything. */
  readonly previous: string;
  /** Snapshot that the target holds afterwards. */
  readonly current: string;
  /** Whether no stage follows. */
  readonly isFinal: boolean;
}

/** What the checkpoints of an import of a disk are made of. A stage is not resumed from the checkpoint of another. */
export function subjectOf({ location, version, size }: DiskSource, stage: Stage | undefined): Subject {
  const { previous, current } = stage ?? {};
  const versionOfStage = stage === undefined ? version : JSON.stringify([version, previous, current]);
  return {
    source: { location: hashLocation(location), version: versionOfStage, size },
    format: 'raw',
    wrappers: [],
    certainOnly: [],
  };
}
