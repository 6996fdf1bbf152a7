import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteReader } from './bytes.ts';
import { verified, type Checksum } from './checksum.ts';
import { convertFile, convertRanges } from './conversion/convert.ts';
import { RandomAccessNeeded, ScratchNeeded, TransferError, asTransferError } from './errors.ts';
import type { DecodedDisk } from './extents.ts';
import { decodeDisk } from './formats/decode.ts';
import { decodeQcow2Ranges } from './formats/qcow2/decode.ts';
import { decodeRaw } from './formats/raw.ts';
import { HEAD_LENGTH, recogniseFormat, type DiskFormat } from './formats/recognise.ts';
import { missingLibraries } from './native/missing.ts';
import { Progress } from './progress.ts';
import { FileSink } from './sinks/file-sink.ts';
import type { Sink } from './sinks/sink.ts';
import type { RangeReader, Source } from './source.ts';
import { FileSource } from './sources/file-source.ts';
import { rangesWithin, unwrap, type Unwrapped } from './unwrap/unwrap.ts';

const MOST_RESTARTS = 5;

export interface ImportImageOptions {
  source: Source;
  sink: Sink;
  progress: Progress;
  /** Of the object as it is served. */
  checksum?: Checksum | undefined;
  /** A folder with room for a copy of the image, for those that cannot be converted otherwise. */
  scratchDirectory?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface ImportedImage {
  format: string;
  /** The disk's size as its guest sees it, in bytes. */
  virtualSize: number;
  preallocated: boolean;
}

/**
 * Brings a disk image from a source to a target. When it fails for good, the target holds nothing usable.
 *
 * @throws TransferError
 * @throws ScratchNeeded where the image needs a copy to convert from, and there is no scratch folder
 */
export async function importImage(options: ImportImageOptions): Promise<ImportedImage> {
  const { source, sink, progress } = options;
  const missing = missingLibraries();
  if (missing.length > 0) progress.note('without native libraries, which is slower', { missing });
  try {
    const image = await importUnchanged(options);
    progress.enter('done');
    return image;
  } catch (error) {
    await abandon(sink, progress);
    throw error;
  } finally {
    await source.close();
  }
}

/** A source that changes while it is read is read again from its start. */
async function importUnchanged(options: ImportImageOptions): Promise<ImportedImage> {
  for (let restarts = 0; ; restarts += 1) {
    try {
      return await importOnce(options);
    } catch (error) {
      if (!(error instanceof TransferError) || error.code !== 'SourceChanged' || restarts === MOST_RESTARTS)
        throw error;
      options.progress.note('restarting', { cause: error.message });
      options.progress.restart();
    }
  }
}

async function importOnce(options: ImportImageOptions): Promise<ImportedImage> {
  const { source, progress } = options;
  const image = await openAndRecognise(options);
  const { format, reader, size } = image;
  // Whatever is read at random has to be what the checksum was taken of, and what else is in an archive is checked as well.
  const readsAll = options.checksum !== undefined || image.wrappers.length > 0;
  const ranges = await openRanges(source, image, readsAll);
  try {
    return await writeDisk(await decodeDisk(format, reader, { size, ranges, readsAll }), options);
  } catch (error) {
    if (!(error instanceof RandomAccessNeeded)) throw error;
    progress.note('random access needed', { why: error.message });
    if (ranges === undefined) return await importThroughScratch(options, error);
    if (readsAll) await reader.drain();
    await reader.close();
    progress.restart();
    return await finishConverted(options, format, await convertRanges(ranges, { ...options, format }));
  } finally {
    await reader.close();
  }
}

/** Random access to the image, where there is any that can be trusted. */
async function openRanges(
  source: Source,
  { offset, size }: Recognised,
  readsAll: boolean,
): Promise<RangeReader | undefined> {
  const ranges = offset === undefined ? undefined : await source.openRanges();
  if (ranges === undefined || offset === undefined || (readsAll && !ranges.versioned)) return undefined;
  return rangesWithin(ranges, offset, size ?? ranges.size);
}

/** The last resort: a copy of the image, without its compressions, to convert from. */
async function importThroughScratch(options: ImportImageOptions, why: Error): Promise<ImportedImage> {
  const { progress, scratchDirectory, source } = options;
  if (scratchDirectory === undefined) {
    throw new ScratchNeeded(
      `${source.location} has to be copied to scratch space and converted from there: ${why.message}`,
    );
  }
  progress.restart();
  const { format, reader } = await openAndRecognise(options);
  const path = join(scratchDirectory, 'image');
  const scratch = new FileSink({ path, preallocation: false }, new Progress());
  try {
    progress.note('copying to scratch space', { path });
    await scratch.finish(await pour(decodeRaw(reader, undefined), scratch, options.signal));
    if (format === 'qcow2') {
      const copy = new FileSource(path, new Progress());
      try {
        return await writeDisk(await decodeQcow2Ranges(await copy.openRanges()), options);
      } finally {
        await copy.close();
      }
    }
    return await finishConverted(options, format, await convertFile(path, { ...options, format }));
  } finally {
    await reader.close();
    await rm(path, { force: true });
  }
}

interface Recognised extends Unwrapped {
  format: DiskFormat;
}

async function openAndRecognise({ source, progress, checksum }: ImportImageOptions): Promise<Recognised> {
  progress.enter('connecting', { source: source.location });
  const opened = await source.open();
  progress.bytesTotal = opened.transferSize ?? opened.size;
  const bytes = checksum === undefined ? opened.bytes : verified(opened.bytes, checksum, source.location);
  const image = await unwrap(new ByteReader(bytes), opened.size, source.location);
  const { reader, wrappers, size } = image;
  const format = recogniseFormat(await reader.peek(HEAD_LENGTH), size, source.location);
  progress.note('recognised', { format, wrappers, bytes: opened.size });
  return { ...image, format };
}

async function writeDisk(disk: DecodedDisk, options: ImportImageOptions): Promise<ImportedImage> {
  const { sink, progress, signal } = options;
  progress.enter(disk.format === 'raw' ? 'copying' : 'converting', { format: disk.format, target: sink.path });
  const virtualSize = await pour(disk, sink, signal);
  return finishConverted(options, disk.format, virtualSize);
}

/** @returns the disk's virtual size in bytes */
async function pour(disk: DecodedDisk, sink: Sink, signal: AbortSignal | undefined): Promise<number> {
  await sink.begin(disk.virtualSize);
  for await (const extent of disk.extents) {
    signal?.throwIfAborted();
    await sink.write(extent);
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
  const { preallocated } = await sink.finish(virtualSize);
  return { format, virtualSize, preallocated };
}

/** An empty disk of all the target's space. */
export async function writeBlankDisk(sink: Sink, progress: Progress): Promise<ImportedImage> {
  try {
    progress.enter('zeroing', { target: sink.path });
    await sink.begin(undefined);
    progress.enter('syncing');
    const { size, preallocated } = await sink.finish(0);
    progress.enter('done');
    return { format: 'raw', virtualSize: size, preallocated };
  } catch (error) {
    await abandon(sink, progress);
    throw error;
  }
}

/** Why the import failed matters more than that the target could not be cleared as well. */
async function abandon(sink: Sink, progress: Progress): Promise<void> {
  try {
    await sink.abandon();
  } catch (error) {
    progress.note('target not cleared', { target: sink.path, cause: asTransferError(error).message });
  }
}
