import type { DecodedDisk } from '../../base/extents.ts';
import type { Progress } from '../../base/progress.ts';
import type { DiskTarget } from '../../sink/disk-target.ts';
import type { Sink } from '../../sink/sink.ts';
import type { Journal } from '../checkpoint/journal.ts';
import { isPassing } from '../checkpoint/resumption.ts';

/** Where an import writes to, and what it reports to and is stopped by meanwhile. */
export interface ImportTarget {
  sink: DiskTarget;
  progress: Progress;
  signal?: AbortSignal | undefined;
}

/** A disk that is on its target, which remains to be finished. */
export interface WrittenDisk {
  format: string;
  /** Size of the disk as the guest sees it, in bytes. */
  virtualSize: number;
}

/** Writes a disk to a sink that is ready for it. */
export async function writeDisk(
  disk: DecodedDisk,
  { sink, progress, signal }: ImportTarget,
  journal?: Journal,
): Promise<WrittenDisk> {
  progress.enter(disk.isVerbatim ? 'copying' : 'converting', { format: disk.format, target: sink.path });
  const virtualSize = await pour(disk, sink, signal, journal);
  // Of some disks, only the end tells the format.
  return { format: disk.format, virtualSize };
}

/**
 * Writes the extents of a disk to a sink that is ready for them.
 *
 * @returns the virtual size of the disk in bytes
 */
export async function pour(
  disk: DecodedDisk,
  sink: Sink,
  signal: AbortSignal | undefined,
  journal?: Journal,
): Promise<number> {
  try {
    for await (const extent of disk.extents) {
      signal?.throwIfAborted();
      await journal?.precede();
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
