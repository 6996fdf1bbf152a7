import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Progress } from '../../base/progress.ts';
import { decodeRanges } from '../../image/formats/decode.ts';
import { decodeRaw } from '../../image/formats/raw/decode.ts';
import { FileSink } from '../../sink/file-sink.ts';
import { FileSource } from '../../source/kinds/file-source.ts';
import { convertFile } from './convert.ts';
import type { OpenedImage } from './opened-image.ts';
import type { ScratchCopy } from './plan.ts';
import { type ImportTarget, pour, writeDisk, type WrittenDisk } from './write-disk.ts';

/**
 * Writes an image from a copy of it without its compressions, as the last resort.
 *
 * @param reopen opens the image at its start again
 */
export async function writeThroughScratch(
  { directory }: ScratchCopy,
  reopen: () => Promise<OpenedImage>,
  target: ImportTarget,
): Promise<WrittenDisk> {
  const { sink, progress, signal } = target;
  progress.restart();
  const { format, reader } = await reopen();
  const path = join(directory, 'image');
  const scratch = new FileSink({ path, preallocation: false }, new Progress());
  try {
    progress.note('copying to scratch space', { path });
    await scratch.begin(undefined);
    await scratch.finish(await pour(decodeRaw(reader, undefined), scratch, signal));
    const copy = new FileSource(path, new Progress());
    try {
      const disk = await decodeRanges(format, await copy.openRanges());
      if (disk === undefined) return { format, virtualSize: await convertFile(path, { ...target, format }) };
      await sink.begin(disk.virtualSize);
      return await writeDisk(disk, target);
    } finally {
      await copy.close();
    }
  } finally {
    await reader.close();
    await rm(path, { force: true });
  }
}
