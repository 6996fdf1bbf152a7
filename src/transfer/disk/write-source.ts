import type { DiskSource } from '../../base/disk-source.ts';
import type { Checkpoint, Subject } from '../checkpoint/checkpoint.ts';
import type { Resumption } from '../checkpoint/resumption.ts';
import { finish, type ImportedImage } from '../import/finish.ts';
import { type ImportTarget, writeDisk } from '../import/write-disk.ts';
import { decodeSource } from './decode-source.ts';
import { surveyDisk } from './survey.ts';

export interface WriteSourceOptions {
  disk: DiskSource;
  target: ImportTarget;
  resumption: Resumption;
  subject: Subject;
  /** The checkpoint that the target resumes from; undefined from the start of the disk. */
  checkpoint: Checkpoint | undefined;
  /** Whether parts of the disk on the target are replaced; otherwise the target reads as zeros. */
  isUpdate: boolean;
  /** Has to end before the target is changed. */
  beforeFirst?: () => Promise<void>;
}

/** Writes a disk to a target that is ready for it, and finishes the target. The progress is that of its data alone. */
export async function writeSource(options: WriteSourceOptions): Promise<ImportedImage> {
  const { disk, target, resumption, subject, checkpoint, isUpdate, beforeFirst } = options;
  const { progress, signal } = target;
  const from = checkpoint?.position ?? 0;
  const { total, before } = await surveyDisk(disk, from, signal);
  progress.counters.bytesTotal = total;
  progress.skip(before);
  const decoded = decodeSource({ disk, from, progress, signal, isUpdate, beforeFirst });
  return finish(await writeDisk(decoded, target, resumption.journal(decoded, subject, checkpoint)), target);
}
