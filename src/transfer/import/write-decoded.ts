import { unmapExecutable } from '../../base/native/executable-pages.ts';
import { decodeDisk } from '../../image/formats/decode.ts';
import type { Resumption } from '../checkpoint/resumption.ts';
import type { OpenedImage } from './opened-image.ts';
import type { Decoding } from './plan.ts';
import { type ImportTarget, writeDisk, type WrittenDisk } from './write-disk.ts';

/**
 * Writes an image while it is decoded from its stream.
 *
 * @throws RandomAccessNeeded where the layout of the image turns out not to allow it
 */
export async function writeDecoded(
  { ranges, readsAll, checkpoint, skipsTo }: Decoding,
  { format, guess, reader, size, subject }: OpenedImage,
  target: ImportTarget,
  resumption: Resumption,
): Promise<WrittenDisk> {
  const disk = await decodeDisk(format, reader, { size, ranges, readsAll, guess, from: checkpoint?.position ?? 0 });
  if (checkpoint === undefined) await target.sink.begin(disk.virtualSize);
  if (skipsTo !== undefined) target.progress.skip(skipsTo);
  // What comes now lasts, and needs little of what connecting and recognising the image needed.
  unmapExecutable();
  return writeDisk(disk, target, resumption.journal(disk, subject, checkpoint));
}
