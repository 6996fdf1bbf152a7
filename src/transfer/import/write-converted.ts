import { convertRanges } from './convert.ts';
import type { OpenedImage } from './opened-image.ts';
import type { Conversion } from './plan.ts';
import type { ImportTarget, WrittenDisk } from './write-disk.ts';

/** Writes an image that qemu-img converts and reads at random. */
export async function writeConverted(
  { ranges, drains }: Conversion,
  { format, reader }: OpenedImage,
  target: ImportTarget,
): Promise<WrittenDisk> {
  if (drains) await reader.drain();
  await reader.close();
  target.progress.restart();
  return { format, virtualSize: await convertRanges(ranges, { ...target, format }) };
}
