import { TransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';
import type { DiskTarget } from '../../sink/disk-target.ts';
import type { CheckpointStore } from '../checkpoint/store.ts';
import type { ImportedImage } from '../import/finish.ts';
import { importImage } from '../import/import-image.ts';
import { importArchive } from '../import-archive.ts';
import type { Upload } from './upload.ts';
import { UploadRecords } from './upload-record.ts';

export interface ImportUploadOptions {
  upload: Upload;
  progress: Progress;
  signal: AbortSignal;
  /** The folder that an archive is unpacked into; or the target of a disk. */
  target:
    | { directory: string }
    | {
        sink: DiskTarget;
        /** Where the upload resumes from in another process. */
        store: CheckpointStore;
        /** A folder with room for a copy of the image, where there is one. */
        scratchDirectory: string | undefined;
      };
}

/**
 * Imports what is uploaded while it arrives. Another image that is sent in place of the first one replaces it.
 *
 * @returns what is known of a disk; undefined for an archive
 * @throws TransferError
 * @throws ScratchNeeded where the image has to be converted from a copy, and there is no scratch folder
 */
export async function importUpload(options: ImportUploadOptions): Promise<ImportedImage | undefined> {
  const { progress, signal } = options;
  for (;;) {
    try {
      return await importOnce(options);
    } catch (error) {
      if (!(error instanceof TransferError) || error.code !== 'SourceChanged' || signal.aborted) throw error;
      progress.note('restarting', { cause: error.message });
      progress.restart();
    }
  }
}

async function importOnce({
  upload,
  progress,
  signal,
  target,
}: ImportUploadOptions): Promise<ImportedImage | undefined> {
  if ('directory' in target) {
    await importArchive({ source: upload, directory: target.directory, progress, signal });
    return undefined;
  }
  const { sink, store, scratchDirectory } = target;
  const checkpoints = { store: new UploadRecords(store, upload) };
  return importImage({ source: upload, sink, progress, scratchDirectory, checkpoints, signal });
}
