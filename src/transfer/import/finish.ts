import type { ImportTarget, WrittenDisk } from './write-disk.ts';

/** The outcome of an import. */
export interface ImportedImage {
  format: string;
  /** Size of the disk as the guest sees it, in bytes. */
  virtualSize: number;
  /** Bytes of the file or device that holds the disk. */
  diskSize: number;
  preallocated: boolean;
}

/** Makes a written disk durable, and gives its target the final size. */
export async function finish(
  { format, virtualSize }: WrittenDisk,
  { sink, progress }: ImportTarget,
): Promise<ImportedImage> {
  progress.enter('syncing', { bytesWritten: progress.counters.bytesWritten });
  const { size, preallocated } = await sink.finish(virtualSize);
  return { format, virtualSize, diskSize: size, preallocated };
}
