import type { RangeReader, Source } from '../../base/source.ts';
import { rangesWithin } from '../../image/unwrap/unwrap.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { openImage, type OpenImageOptions } from './open-image.ts';
import type { OpenedImage } from './opened-image.ts';

/** An image that is open in every way that its import may use. */
export interface OpenedImport extends OpenedImage {
  /** Random access to the image; undefined where it is impossible, or cannot be trusted. */
  ranges: RangeReader | undefined;
  /** Whether the stream has to be read to its end, even where the data is read at random. */
  readsAll: boolean;
}

/**
 * Opens an image, with random access to it where there is any.
 *
 * @param checkpoint from which the import will be resumed, if it fits
 * @throws TransferError, the signal's reason
 */
export async function openImport(options: OpenImageOptions, checkpoint: Checkpoint | undefined): Promise<OpenedImport> {
  const image = await openImage(options, checkpoint);
  // Data that is read at random has to be covered by the checksum, and the rest of an archive is checked as well.
  const readsAll = options.checksum !== undefined || image.wrappers.length > 0;
  return { ...image, readsAll, ranges: await openRanges(options.source, image, readsAll) };
}

async function openRanges(
  source: Source,
  { offset, size }: OpenedImage,
  readsAll: boolean,
): Promise<RangeReader | undefined> {
  const ranges = offset === undefined ? undefined : await source.openRanges();
  if (ranges === undefined || offset === undefined || (readsAll && !ranges.versioned)) return undefined;
  return rangesWithin(ranges, offset, size ?? ranges.size);
}
