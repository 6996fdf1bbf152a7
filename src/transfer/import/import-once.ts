import { RandomAccessNeeded, TransferError } from '../../base/errors.ts';
import { doubted } from './doubted.ts';
import { finish, type ImportedImage } from './finish.ts';
import { type OpenedImport, openImport } from './open-import.ts';
import { type ImportPlan, planImport, planRandomAccess } from './plan.ts';
import { type ImportMeans, writeImage } from './write-image.ts';

/** One attempt to import an image. */
export interface ImportAttempt extends ImportMeans {
  /** A folder with room for a copy of the image, where there is one. */
  scratchDirectory: string | undefined;
}

/**
 * Imports an image: opens it, plans how it gets to the target, writes it, and finishes the target. Where the image
 * turns out not to be decodable in one pass, that is planned anew.
 *
 * @throws TransferError; DoubtfulMember where another member of the archive may be the disk
 * @throws ScratchNeeded where the image has to be converted from a copy, and there is no scratch folder
 */
export async function importOnce({ scratchDirectory, ...means }: ImportAttempt): Promise<ImportedImage> {
  const earlier = await means.resumption.load();
  const image = await openImport(means.opening, earlier);
  let plan: ImportPlan | undefined;
  try {
    const checkpoint = await means.resumption.take(earlier, image.subject);
    if (checkpoint === undefined && image.reader.position > 0) {
      throw new TransferError('SourceChanged', `${image.location} has to come again from its first byte`);
    }
    plan = planImport({ ...image, checkpoint, scratchDirectory });
    return await carryOut(plan, image, means);
  } catch (error) {
    if (plan !== undefined && plan.by !== 'decode') throw error;
    if (!(error instanceof RandomAccessNeeded)) throw doubted(error, image);
    return await carryOut(planRandomAccess({ ...image, scratchDirectory }, error.message), image, means);
  } finally {
    await image.reader.close();
  }
}

async function carryOut(plan: ImportPlan, image: OpenedImport, means: ImportMeans): Promise<ImportedImage> {
  return finish(await writeImage(plan, image, means), means.target);
}
