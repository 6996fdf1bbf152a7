import type { DiskSource } from '../../base/disk-source.ts';
import type { ResumptionOptions } from '../checkpoint/resumption.ts';
import type { CheckpointStore } from '../checkpoint/store.ts';
import type { ImportTarget } from '../import/write-disk.ts';
import type { Stage } from './stage.ts';
import type { StageRecord } from './stage-record.ts';

export interface ImportDiskOptions extends ImportTarget {
  disk: DiskSource;
  /** Where the import resumes from, and stores what it needs to be resumed after an interruption. */
  checkpoints?: Pick<ResumptionOptions, 'store' | 'interval'> | undefined;
  /** The stage that the disk is the content of; by default it is a whole disk. */
  stage?: Stage | undefined;
  /** Where it is remembered which stage the target holds. */
  stages?: CheckpointStore | undefined;
}

/** One import of a disk. */
export interface DiskImport extends Pick<ImportDiskOptions, 'disk' | 'checkpoints' | 'stage'> {
  target: ImportTarget;
  record: StageRecord;
}
