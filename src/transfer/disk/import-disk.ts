import type { DiskSource } from '../../base/disk-source.ts';
import { asTransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';
import type { ImportedImage } from '../import/finish.ts';
import { applyStage } from './apply-stage.ts';
import type { DiskImport, ImportDiskOptions } from './disk-import.ts';
import { importWhole } from './import-whole.ts';
import { StageRecord } from './stage-record.ts';

/**
 * Imports a disk that another system serves in ranges, or one stage of it.
 *
 * @throws TransferError
 */
export async function importDisk(options: ImportDiskOptions): Promise<ImportedImage> {
  const { disk, checkpoints, stage, stages, ...target } = options;
  const one: DiskImport = { disk, checkpoints, stage, target, record: new StageRecord(stages) };
  let image: ImportedImage;
  try {
    image = await (stage === undefined || stage.previous === '' ? importWhole(one) : applyStage(stage, one));
  } catch (error) {
    await closeDisk(disk, 'incomplete', target.progress);
    throw error;
  }
  await closeDisk(disk, 'complete', target.progress);
  target.progress.enter('done');
  return image;
}

/** Closes a disk. A failure to do so is only reported: the disk is on the target, or another failure matters more. */
async function closeDisk(disk: DiskSource, outcome: 'complete' | 'incomplete', progress: Progress): Promise<void> {
  try {
    await disk.close(outcome);
  } catch (error) {
    progress.note('source not closed', { source: disk.location, cause: asTransferError(error).message });
  }
}
