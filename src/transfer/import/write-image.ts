import { ScratchNeeded } from '../../base/errors.ts';
import type { Resumption } from '../checkpoint/resumption.ts';
import { openImage, type OpenImageOptions } from './open-image.ts';
import type { OpenedImage } from './opened-image.ts';
import type { ImportPlan } from './plan.ts';
import { writeConverted } from './write-converted.ts';
import { writeDecoded } from './write-decoded.ts';
import type { ImportTarget, WrittenDisk } from './write-disk.ts';
import { writeThroughScratch } from './write-through-scratch.ts';

/** What plans are carried out with. */
export interface ImportMeans {
  /** How the image was opened, and can be opened again. */
  opening: OpenImageOptions;
  target: ImportTarget;
  resumption: Resumption;
}

/**
 * Writes an opened image to the target as it was planned.
 *
 * @throws TransferError, the signal's reason
 * @throws RandomAccessNeeded where an image that was to be decoded in one pass turns out not to allow it
 * @throws ScratchNeeded where nothing can be done without scratch space
 */
export async function writeImage(
  plan: ImportPlan,
  image: OpenedImage,
  { opening, target, resumption }: ImportMeans,
): Promise<WrittenDisk> {
  if (plan.by === 'decode') return writeDecoded(plan, image, target, resumption);
  await resumption.forget();
  target.progress.note('random access needed', { why: plan.why });
  switch (plan.by) {
    case 'convert':
      return writeConverted(plan, image, target);
    case 'scratch':
      return writeThroughScratch(plan, () => openImage({ ...opening, certainOnly: image.certainOnly }), target);
    case 'scratch request':
      throw new ScratchNeeded(
        `${opening.source.location} has to be copied to scratch space and converted from there: ${plan.why}`,
      );
  }
}
