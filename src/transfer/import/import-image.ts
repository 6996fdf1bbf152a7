import { atLocation } from '../../base/errors.ts';
import { missingLibraries } from '../../codec/native/missing.ts';
import type { DiskTarget } from '../../sink/disk-target.ts';
import { Resumption, type ResumptionOptions } from '../checkpoint/resumption.ts';
import { suspendOrAbandon } from './abandon.ts';
import { choosingMembers, restartingOnChange } from './attempts.ts';
import type { ImportedImage } from './finish.ts';
import { importOnce } from './import-once.ts';
import type { OpenImageOptions } from './open-image.ts';

export interface ImportImageOptions extends Omit<OpenImageOptions, 'certainOnly'> {
  sink: DiskTarget;
  /** A folder with room for a copy of the image, for images that cannot be converted otherwise. */
  scratchDirectory?: string | undefined;
  /** Where the import resumes from, and stores what it needs to be resumed after an interruption. */
  checkpoints?: Pick<ResumptionOptions, 'store' | 'interval'> | undefined;
}

/**
 * Imports a disk image from a source to a target. After a permanent failure the target holds nothing usable; after an
 * interruption, or a passing failure that was not overcome, a checkpoint is left with what was written.
 *
 * @throws TransferError
 * @throws ScratchNeeded where the image has to be converted from a copy, and there is no scratch folder
 */
export async function importImage(options: ImportImageOptions): Promise<ImportedImage> {
  const { sink, scratchDirectory, checkpoints, ...opening } = options;
  const { source, progress, signal } = opening;
  const resumption = new Resumption({ sink, progress, ...checkpoints });
  const missing = missingLibraries();
  if (missing.length > 0) progress.note('without native libraries, which is slower', { missing });
  const target = { sink, progress, signal };
  const choice = { progress, formatIsStated: opening.format !== undefined, forget: () => resumption.forget() };
  try {
    const image = await choosingMembers(choice, (certainOnly) =>
      restartingOnChange(progress, () =>
        importOnce({ opening: { ...opening, certainOnly }, target, scratchDirectory, resumption }),
      ),
    );
    await resumption.forget();
    progress.enter('done');
    return image;
  } catch (error) {
    await suspendOrAbandon(error, target, resumption);
    throw atLocation(error, source.location);
  } finally {
    await source.close();
  }
}
