import type { DiskSource } from '../../base/disk-source.ts';
import { asTransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';
import { hashLocation, type Subject } from '../checkpoint/checkpoint.ts';
import { Resumption, type ResumptionOptions } from '../checkpoint/resumption.ts';
import { abandon } from '../import/abandon.ts';
import { finish, type ImportedImage } from '../import/finish.ts';
import { type ImportTarget, writeDisk } from '../import/write-disk.ts';
import { decodeSource } from './decode-source.ts';
import { surveyDisk } from './survey.ts';

export interface ImportDiskOptions extends ImportTarget {
  disk: DiskSource;
  /** Where the import resumes from, and stores what it needs to be resumed after an interruption. */
  checkpoints?: Pick<ResumptionOptions, 'store' | 'interval'> | undefined;
}

/**
 * Imports a disk that another system serves in ranges. After a permanent failure the target holds nothing usable; after
 * an interruption, or a passing failure that was not overcome, a checkpoint is left with what was written.
 *
 * @throws TransferError
 */
export async function importDisk({ disk, checkpoints, ...target }: ImportDiskOptions): Promise<ImportedImage> {
  const { sink, progress } = target;
  const resumption = new Resumption({ sink, progress, ...checkpoints });
  let outcome: 'complete' | 'incomplete' = 'incomplete';
  try {
    const image = await importOnce(disk, target, resumption);
    outcome = 'complete';
    await resumption.forget();
    return image;
  } catch (error) {
    if (await resumption.survives(error)) {
      await sink.suspend();
    } else {
      await abandon(sink, progress);
      await resumption.forget();
    }
    throw error;
  } finally {
    await closeDisk(disk, outcome, progress);
    if (outcome === 'complete') progress.enter('done');
  }
}

async function importOnce(disk: DiskSource, target: ImportTarget, resumption: Resumption): Promise<ImportedImage> {
  const { sink, progress, signal } = target;
  const { size, location, version } = disk;
  const subject: Subject = {
    source: { location: hashLocation(location), version, size },
    format: 'raw',
    wrappers: [],
    certainOnly: [],
  };
  const checkpoint = await resumption.take(await resumption.load(), subject);
  if (checkpoint === undefined) await sink.begin(size);
  const from = checkpoint?.position ?? 0;
  const { total, before } = await surveyDisk(disk, from, signal);
  progress.counters.bytesTotal = total;
  progress.skip(before);
  const decoded = decodeSource({ disk, from, progress, signal }, { withZeros: false });
  return finish(await writeDisk(decoded, target, resumption.journal(decoded, subject, checkpoint)), target);
}

/** Closes a disk. A failure to do so is only reported: the disk is on the target, or another failure matters more. */
async function closeDisk(disk: DiskSource, outcome: 'complete' | 'incomplete', progress: Progress): Promise<void> {
  try {
    await disk.close(outcome);
  } catch (error) {
    progress.note('source not closed', { source: disk.location, cause: asTransferError(error).message });
  }
}
