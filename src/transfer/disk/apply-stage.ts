import type { DiskSource } from '../../base/disk-source.ts';
import { TransferError } from '../../base/errors.ts';
import { formatExactBytes } from '../../base/format-bytes.ts';
import { Resumption } from '../checkpoint/resumption.ts';
import { finish, type ImportedImage } from '../import/finish.ts';
import type { DiskImport } from './disk-import.ts';
import { holdsData } from './holds-data.ts';
import { type Stage, subjectOf } from './stage.ts';
import { isComplete, type StageState } from './stage-record.ts';
import { writeSource } from './write-source.ts';

/**
 * Brings the disk on the target from the snapshot of the stage before to that of this stage. Whatever fails, the target
 * stays as it is: the stage can be repeated from any point.
 *
 * @throws TransferError StageMismatch where the target does not hold the snapshot of the stage before
 */
export async function applyStage(stage: Stage, options: DiskImport): Promise<ImportedImage> {
  const { sink } = options.target;
  try {
    return await apply(stage, options);
  } catch (error) {
    await sink.suspend();
    throw kept(error, stage);
  }
}

async function apply(stage: Stage, options: DiskImport): Promise<ImportedImage> {
  const { disk, target, checkpoints, record } = options;
  const { sink, progress } = target;
  const { size } = disk;
  const { current, previous, isFinal } = stage;
  const state = await record.load();
  let complete = isComplete(state, stage);
  if (state !== undefined) refuseUnlessFits(state, stage, disk);
  else if (record.isKept) {
    // The record of a complete disk is removed last, and a final stage may be repeated even then.
    complete = isFinal && (await holdsData(options));
    if (!complete) throw mismatch(stage, `${sink.path} has no record of any stage`);
  }
  const resumption = new Resumption({ sink, progress, ...checkpoints });
  const subject = subjectOf(disk, stage);
  const checkpoint = complete ? undefined : await resumption.take(await resumption.load(), subject);
  if (checkpoint === undefined && !(await sink.update(size))) throw mismatch(stage, `${sink.path} holds no disk`);
  let image: ImportedImage;
  if (complete) {
    progress.note('stage is complete', {});
    image = await finish({ format: 'raw', virtualSize: size }, target);
  } else {
    // Until something has been written, another stage may take the place of this one.
    const beforeFirst = () => record.save({ holds: previous, ...state, towards: current, size });
    image = await writeSource({ disk, target, resumption, subject, checkpoint, isUpdate: true, beforeFirst });
    await record.save({ holds: current, names: disk.snapshotNames, size });
  }
  await resumption.forget();
  if (isFinal) await record.forget();
  return image;
}

function refuseUnlessFits(state: StageState, stage: Stage, { size, location }: DiskSource): void {
  const { holds, names, towards = stage.current } = state;
  if (!isComplete(state, stage)) {
    if (names?.includes(stage.previous) === false) throw mismatch(stage, `the target holds ${holds}`);
    if (towards !== stage.current) throw mismatch(stage, `the target holds ${holds} and parts of ${towards}`);
  }
  if (size >= state.size) return;
  const sizes = `${formatExactBytes(size)}, and had ${formatExactBytes(state.size)} in the stage before`;
  throw new TransferError(
    'StageMismatch',
    `${location} has ${sizes}: a disk cannot shrink between stages; import it anew from the first stage on`,
  );
}

function mismatch({ previous, current }: Stage, why: string): TransferError {
  return new TransferError(
    'StageMismatch',
    `the stage from ${previous} to ${current} needs a target that holds ${previous}, and ${why}: ` +
      'import the disk anew from the first stage on',
  );
}

/** Adds to a failure that what earlier stages brought is still there. */
function kept(error: unknown, { previous, current }: Stage): unknown {
  if (!(error instanceof TransferError) || error.code === 'StageMismatch') return error;
  const { code, message, remedy, retryAfter } = error;
  return new TransferError(
    code,
    `${message} (the target keeps what the stages up to ${previous} have brought; the stage to ${current} can be repeated)`,
    { cause: error, remedy, ...(retryAfter !== undefined && { retryAfter }) },
  );
}
