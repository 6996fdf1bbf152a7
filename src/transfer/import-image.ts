import { ByteReader } from './bytes.ts';
import { verified, type Checksum } from './checksum.ts';
import { decompressAll } from './decompress/decompress.ts';
import { TransferError } from './errors.ts';
import type { DecodedDisk } from './extents.ts';
import { decodeDisk } from './formats/decode.ts';
import { HEAD_LENGTH, recogniseFormat } from './formats/recognise.ts';
import type { Progress } from './progress.ts';
import type { Sink } from './sinks/sink.ts';
import type { Source } from './source.ts';

const MOST_RESTARTS = 5;

export interface ImportImageOptions {
  source: Source;
  sink: Sink;
  progress: Progress;
  /** Of the object as it is served. */
  checksum?: Checksum | undefined;
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
  try {
    const image = await importUnchanged(options);
    progress.enter('done');
    return image;
  } catch (error) {
    await sink.abandon();
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
  const { source, sink, progress, checksum } = options;
  progress.enter('connecting', { source: source.location });
  const opened = await source.open();
  progress.bytesTotal = opened.size;
  const bytes = checksum === undefined ? opened.bytes : verified(opened.bytes, checksum, source.location);
  const { reader, compressions } = await decompressAll(new ByteReader(bytes));
  try {
    const size = compressions.length === 0 ? opened.size : undefined;
    const format = recogniseFormat(await reader.peek(HEAD_LENGTH), size, source.location);
    progress.note('recognised', { format, compressions, bytes: opened.size });
    const disk = await decodeDisk(format, reader, size);
    return await writeDisk(disk, sink, progress, options.signal);
  } finally {
    await reader.close();
  }
}

async function writeDisk(
  disk: DecodedDisk,
  sink: Sink,
  progress: Progress,
  signal: AbortSignal | undefined,
): Promise<ImportedImage> {
  await sink.begin(disk.virtualSize);
  progress.enter(disk.format === 'raw' ? 'copying' : 'converting', { format: disk.format, target: sink.path });
  for await (const extent of disk.extents) {
    signal?.throwIfAborted();
    await sink.write(extent);
  }
  const { virtualSize, format } = disk;
  if (virtualSize === undefined) throw new Error('a decoder ended without the size of its disk');
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
    await sink.abandon();
    throw error;
  }
}
