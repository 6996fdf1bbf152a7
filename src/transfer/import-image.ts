import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from './checkpoint/checkpoint.ts';
import type { Journal } from './checkpoint/journal.ts';
import { Resumption, isPassing, type ResumptionOptions } from './checkpoint/resumption.ts';
import { convertFile, convertRanges } from './convert.ts';
import {
  RandomAccessNeeded,
  ScratchNeeded,
  TransferError,
  asTransferError,
  atLocation,
  type TransferErrorCode,
} from '../base/errors.ts';
import type { DecodedDisk } from '../base/extents.ts';
import { decodeDisk, decodeRanges } from '../image/formats/decode.ts';
import { decodeRaw } from '../image/formats/raw/decode.ts';
import { missingLibraries } from '../codec/native/missing.ts';
import { openImage, type OpenImageOptions, type OpenedImage } from './open-image.ts';
import { Progress } from '../base/progress.ts';
import { FileSink } from '../sink/file-sink.ts';
import type { Sink } from '../sink/sink.ts';
import type { RangeReader, Source } from '../base/source.ts';
import { FileSource } from '../source/kinds/file-source.ts';
import { DoubtfulMember, FOUND_NOTHING } from '../image/unwrap/doubtful-member.ts';
import { rangesWithin } from '../image/unwrap/unwrap.ts';

const MOST_RESTARTS = 5;
/** Failures of importing something that is not a disk image. */
const NO_DISK = new Set<TransferErrorCode>([
  'NotAnImage',
  'InvalidImage',
  'TruncatedImage',
  'UnsupportedImage',
  'ImageTooLarge',
]);

export interface ImportImageOptions extends OpenImageOptions {
  sink: Sink;
  /** A folder with room for a copy of the image, for images that cannot be converted otherwise. */
  scratchDirectory?: string | undefined;
  /** Where the import resumes from, and stores what it needs to be resumed after an interruption. */
  checkpoints?: Pick<ResumptionOptions, 'store' | 'interval'> | undefined;
  signal?: AbortSignal | undefined;
}

export interface ImportedImage {
  format: string;
  /** Size of the disk as the guest sees it, in bytes. */
  virtualSize: number;
  /** Bytes of the file or device that holds the disk. */
  diskSize: number;
  preallocated: boolean;
}

/**
 * Imports a disk image from a source to a target. After a permanent failure the target holds nothing usable; after an
 * interruption, or a passing failure that was not overcome, a checkpoint is left with what was written.
 *
 * @throws TransferError
 * @throws ScratchNeeded where the image has to be converted from a copy, and there is no scratch folder
 */
export async function importImage(options: ImportImageOptions): Promise<ImportedImage> {
  const { source, sink, progress } = options;
  const resumption = new Resumption({ sink, progress, ...options.checkpoints });
  const missing = missingLibraries();
  if (missing.length > 0) progress.note('without native libraries, which is slower', { missing });
  try {
    const image = await importChosen(options, resumption);
    await resumption.forget();
    progress.enter('done');
    return image;
  } catch (error) {
    if (await resumption.survives(error)) {
      await sink.suspend();
    } else {
      await abandon(sink, progress);
      await resumption.forget();
    }
    throw atLocation(error, source.location);
  } finally {
    await source.close();
  }
}

/**
 * Imports the image. An archive whose chosen member was not a disk after all is read again, and then only members that
 * are certainly disks count.
 */
async function importChosen(options: ImportImageOptions, resumption: Resumption): Promise<ImportedImage> {
  let certainOnly: readonly number[] = [];
  let doubt: DoubtfulMember | undefined;
  for (;;) {
    try {
      return await importUnchanged({ ...options, certainOnly }, resumption);
    } catch (error) {
      // Where nothing better is found, the failure of the first member says more.
      if (doubt !== undefined && error instanceof TransferError && FOUND_NOTHING.has(error.code)) throw doubt.refusal;
      // A format given by the user may be that of the chosen member.
      if (!(error instanceof DoubtfulMember) || options.format !== undefined) throw error;
      doubt = error;
      certainOnly = [...certainOnly, error.archive];
      options.progress.note('looking for another disk in the archive', { cause: error.message });
      await resumption.forget();
      options.progress.restart();
    }
  }
}

/** Imports the image, and starts over where the source changes while it is read. */
async function importUnchanged(options: ImportImageOptions, resumption: Resumption): Promise<ImportedImage> {
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await importOnce(options, resumption);
    } catch (error) {
      if (!(error instanceof TransferError) || error.code !== 'SourceChanged' || restarts === MOST_RESTARTS)
        throw error;
      options.progress.note('restarting', { cause: error.message });
      options.progress.restart();
    }
  }
}

async function importOnce(options: ImportImageOptions, resumption: Resumption): Promise<ImportedImage> {
  const { source, progress } = options;
  const earlier = await resumption.load();
  const image = await openImage(options, earlier);
  const { format, reader } = image;
  // Data that is read at random has to be covered by the checksum, and the rest of an archive is checked as well.
  const readsAll = options.checksum !== undefined || image.wrappers.length > 0;
  const ranges = await openRanges(source, image, readsAll);
  try {
    const checkpoint = await resumption.take(earlier, image.subject);
    return await decodeImage({ ...image, readsAll, ranges, checkpoint }, options, resumption);
  } catch (error) {
    if (!(error instanceof RandomAccessNeeded)) throw doubted(error, image);
    await resumption.forget();
    progress.note('random access needed', { why: error.message });
    if (ranges === undefined) return await importThroughScratch({ ...options, certainOnly: image.certainOnly }, error);
    if (readsAll) await reader.drain();
    await reader.close();
    progress.restart();
    return await finishConverted(options, format, await convertRanges(ranges, { ...options, format }));
  } finally {
    await reader.close();
  }
}

/**
 * Marks the failure of a member that only might be a disk: it is another kind of file, and the disk may come after it.
 */
function doubted(error: unknown, { doubtfulIn }: OpenedImage): unknown {
  const archive = doubtfulIn();
  if (archive === undefined || !(error instanceof TransferError) || error instanceof DoubtfulMember) return error;
  return NO_DISK.has(error.code) ? new DoubtfulMember(archive, error) : error;
}

/** Opens the image for random access, where that is possible and can be trusted. */
async function openRanges(
  source: Source,
  { offset, size }: OpenedImage,
  readsAll: boolean,
): Promise<RangeReader | undefined> {
  const ranges = offset === undefined ? undefined : await source.openRanges();
  if (ranges === undefined || offset === undefined || (readsAll && !ranges.versioned)) return undefined;
  return rangesWithin(ranges, offset, size ?? ranges.size);
}

interface DecodableImage extends OpenedImage {
  readsAll: boolean;
  ranges: RangeReader | undefined;
  /** The checkpoint to resume from; undefined to start from the beginning. */
  checkpoint: Checkpoint | undefined;
}

async function decodeImage(
  { format, guess, reader, size, seeks, subject, readsAll, ranges, checkpoint }: DecodableImage,
  options: ImportImageOptions,
  resumption: Resumption,
): Promise<ImportedImage> {
  const disk = await decodeDisk(format, reader, { size, ranges, readsAll, guess, from: checkpoint?.position ?? 0 });
  if (checkpoint === undefined) await options.sink.begin(disk.virtualSize);
  else if (seeks) options.progress.skip(checkpoint.position);
  return writeDisk(disk, options, resumption.journal(disk, subject, checkpoint));
}

/** Converts from a copy of the image without its compressions, as the last resort. */
async function importThroughScratch(options: ImportImageOptions, why: Error): Promise<ImportedImage> {
  const { progress, scratchDirectory, source } = options;
  if (scratchDirectory === undefined) {
    throw new ScratchNeeded(
      `${source.location} has to be copied to scratch space and converted from there: ${why.message}`,
    );
  }
  progress.restart();
  const { format, reader } = await openImage(options);
  const path = join(scratchDirectory, 'image');
  const scratch = new FileSink({ path, preallocation: false }, new Progress());
  try {
    progress.note('copying to scratch space', { path });
    await scratch.begin(undefined);
    await scratch.finish(await pour(decodeRaw(reader, undefined), scratch, options.signal));
    const copy = new FileSource(path, new Progress());
    try {
      const disk = await decodeRanges(format, await copy.openRanges());
      if (disk === undefined)
        return await finishConverted(options, format, await convertFile(path, { ...options, format }));
      await options.sink.begin(disk.virtualSize);
      return await writeDisk(disk, options);
    } finally {
      await copy.close();
    }
  } finally {
    await reader.close();
    await rm(path, { force: true });
  }
}

/** Writes a disk to a sink that is ready for it. */
async function writeDisk(disk: DecodedDisk, options: ImportImageOptions, journal?: Journal): Promise<ImportedImage> {
  const { sink, progress, signal } = options;
  progress.enter(disk.format === 'raw' ? 'copying' : 'converting', { format: disk.format, target: sink.path });
  const virtualSize = await pour(disk, sink, signal, journal);
  return finishConverted(options, disk.format, virtualSize);
}

/** @returns the virtual size of the disk in bytes */
async function pour(
  disk: DecodedDisk,
  sink: Sink,
  signal: AbortSignal | undefined,
  journal?: Journal,
): Promise<number> {
  try {
    for await (const extent of disk.extents) {
      signal?.throwIfAborted();
      await sink.write(extent);
      journal?.wrote(extent);
    }
  } catch (error) {
    if (isPassing(error)) await journal?.close();
    throw error;
  } finally {
    await journal?.settle();
  }
  if (disk.virtualSize === undefined) throw new Error('a decoder ended without the size of its disk');
  return disk.virtualSize;
}

async function finishConverted(
  { sink, progress }: ImportImageOptions,
  format: string,
  virtualSize: number,
): Promise<ImportedImage> {
  progress.enter('syncing', { bytesWritten: progress.bytesWritten });
  const { size, preallocated } = await sink.finish(virtualSize);
  return { format, virtualSize, diskSize: size, preallocated };
}

/** Writes an empty disk that fills the target. */
export async function writeBlankDisk(sink: Sink, progress: Progress): Promise<ImportedImage> {
  try {
    progress.enter('zeroing', { target: sink.path });
    await sink.begin(undefined);
    progress.enter('syncing');
    const { size, preallocated } = await sink.finish(0);
    progress.enter('done');
    return { format: 'raw', virtualSize: size, diskSize: size, preallocated };
  } catch (error) {
    await abandon(sink, progress);
    throw error;
  }
}

/** Clears the target. A failure to do so is only reported, because the failure of the import matters more. */
async function abandon(sink: Sink, progress: Progress): Promise<void> {
  try {
    await sink.abandon();
  } catch (error) {
    progress.note('target not cleared', { target: sink.path, cause: asTransferError(error).message });
  }
}
