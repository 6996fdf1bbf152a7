import { Resumption } from '../checkpoint/resumption.ts';
import { suspendOrAbandon } from '../import/abandon.ts';
import { finish, type ImportedImage } from '../import/finish.ts';
import type { DiskImport } from './disk-import.ts';
import { subjectOf } from './stage.ts';
import { isComplete } from './stage-record.ts';
import { writeSource } from './write-source.ts';

/**
 * Imports a whole disk, which is that of the first stage where there are stages. After a permanent failure the target
 * holds nothing usable; after an interruption, or a passing failure that was not overcome, a checkpoint is left with
 * what was written.
 *
 * @throws TransferError
 */
export async function importWhole({ disk, target, checkpoints, stage, record }: DiskImport): Promise<ImportedImage> {
  const { sink, progress } = target;
  const { size } = disk;
  const state = await record.load();
  if (stage !== undefined && isComplete(state, stage) && state?.size === size && (await sink.update(size))) {
    progress.note('stage is complete', {});
    const image = await finish({ format: 'raw', virtualSize: size }, target);
    if (stage.isFinal) await record.forget();
    return image;
  }
  const resumption = new Resumption({ sink, progress, ...checkpoints });
  try {
    const subject = subjectOf(disk, stage);
    const checkpoint = await resumption.take(await resumption.load(), subject);
    await record.forget();
    if (checkpoint === undefined) await sink.begin(size);
    const image = await writeSource({ disk, target, resumption, subject, checkpoint, isUpdate: false });
    if (stage?.isFinal === false) await record.save({ holds: stage.current, names: disk.snapshotNames, size });
    await resumption.forget();
    return image;
  } catch (error) {
    await suspendOrAbandon(error, target, resumption);
    throw error;
  }
}
