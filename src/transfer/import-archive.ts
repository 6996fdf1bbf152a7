import { ByteReader } from '../base/bytes.ts';
import { type Checksum, verified } from '../base/checksum.ts';
import { emptyDirectory } from '../base/empty-directory.ts';
import { atLocation } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import type { Source } from '../base/source.ts';
import { syncTree } from '../base/sync-tree.ts';
import { decompressAll } from '../codec/decompress/decompress.ts';
import { refuseHiddenCoding } from './content-coding.ts';
import { unpackTar } from './unpack.ts';

export interface ImportArchiveOptions {
  source: Source;
  /** The folder to unpack into; emptied before, and after a failure. */
  directory: string;
  progress: Progress;
  /** Checksum of the archive as it is served. */
  checksum?: Checksum | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Unpacks a tar archive, compressed or not, into a volume, and makes it durable.
 *
 * @throws TransferError
 */
export async function importArchive({
  source,
  directory,
  progress,
  checksum,
  signal,
}: ImportArchiveOptions): Promise<void> {
  try {
    progress.enter('connecting', { source: source.location });
    const opened = await source.open();
    refuseHiddenCoding(opened, source.location);
    progress.counters.bytesTotal = opened.transferSize ?? opened.size;
    const bytes = checksum === undefined ? opened.bytes : verified(opened.bytes, checksum, source.location);
    const { reader, compressions } = await decompressAll(new ByteReader(bytes));
    progress.note('recognised', { format: 'tar', compressions, bytes: opened.size });
    progress.enter('unpacking', { target: directory });
    // A killed attempt could not clean up.
    await emptyDirectory(directory);
    await unpackTar(reader, directory, source.location, { signal });
    progress.enter('syncing');
    await syncTree(directory);
    progress.enter('done');
  } catch (error) {
    // Why the import failed matters more than what is left.
    await emptyDirectory(directory).catch(() => {});
    throw atLocation(error, source.location);
  } finally {
    await source.close();
  }
}
