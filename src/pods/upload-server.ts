import { basename, join } from 'node:path';
import { createLogger, type Logger } from '../base/logger.ts';
import type { Progress } from '../base/progress.ts';
import { uploadClientCertificate } from '../protocol/installation.ts';
import {
  BLOCK_DEVICE_PATH,
  COPY_PORT,
  DATA_DIRECTORY,
  DISK_IMAGE_PATH,
  PROGRESS_PORT,
  SCRATCH_DIRECTORY,
  TRANSFER_TLS_DIRECTORY,
  type TransferResult,
  UPLOAD_REQUEST_VARIABLE,
  type UploadRequest,
  uploadRequest,
} from '../protocol/transfer-pod.ts';
import { importUpload } from '../transfer/upload/import-upload.ts';
import { Upload } from '../transfer/upload/upload.ts';
import { loadRecord } from '../transfer/upload/upload-record.ts';
import { UploadServer } from '../transfer/upload/upload-server.ts';
import { checkpointStoreOf } from './checkpoints.ts';
import { followIdentity } from './renewed-identity.ts';
import { ReportedRecord } from './reported-record.ts';
import { readTransferIdentity } from './transfer-identity.ts';
import { requestFromEnvironment, runTransferRole } from './transfer-role.ts';
import { createSink } from './transfer-sink.ts';

/** The settings of an upload server pod; the defaults are those of a pod. */
export interface UploadServerSettings {
  /** The request; by default read from the environment. */
  request?: UploadRequest;
  dataDirectory: string;
  blockDevice: string;
  scratch: string;
  tlsDirectory: string;
  /** Port for uploads; 0 for any free one. */
  port: number;
  /** The address to listen on; by default all of the pod's. */
  host?: string;
  progressPort: number;
  /** Milliseconds between two looks for renewed certificates. */
  renewalInterval: number;
  logger: Logger;
}

/**
 * Runs the upload server pod: receives one image and writes it to the target volume while it arrives. A part of the
 * same image that an earlier pod has written is kept; anything else is replaced.
 *
 * @param overrides replaces settings of a pod
 * @returns the exit code: 0 when the volume is filled, 1 otherwise
 */
export async function runUploadServer(overrides: Partial<UploadServerSettings> = {}): Promise<number> {
  const settings: UploadServerSettings = {
    dataDirectory: DATA_DIRECTORY,
    blockDevice: BLOCK_DEVICE_PATH,
    scratch: SCRATCH_DIRECTORY,
    tlsDirectory: TRANSFER_TLS_DIRECTORY,
    port: COPY_PORT,
    progressPort: PROGRESS_PORT,
    renewalInterval: 10_000,
    logger: createLogger(),
    ...overrides,
  };
  let listens = false;
  const checkpoint = new ReportedRecord();
  return runTransferRole({
    name: 'the upload server',
    logger: settings.logger,
    progressPort: settings.progressPort,
    metric: 'kubevirt_cdi_import_progress_total',
    isReady: () => listens,
    checkpoint,
    work: (progress, signal) => receiveImage(settings, checkpoint, progress, signal, () => (listens = true)),
  });
}

async function receiveImage(
  settings: UploadServerSettings,
  checkpoint: ReportedRecord,
  progress: Progress,
  signal: AbortSignal,
  onListening: () => void,
): Promise<TransferResult> {
  const request = settings.request ?? requestFromEnvironment(UPLOAD_REQUEST_VARIABLE, uploadRequest);
  const { target, scratch } = request;
  const diskImage = join(settings.dataDirectory, basename(DISK_IMAGE_PATH));
  const store = checkpointStoreOf(request, { diskImage }, checkpoint);
  const upload = new Upload(progress, await loadRecord(store));
  const identity = await readTransferIdentity(settings.tlsDirectory);
  const server = new UploadServer({
    port: settings.port,
    host: settings.host,
    identity,
    clientName: uploadClientCertificate.commonName,
    upload,
    progress,
  });
  const port = await server.listen();
  progress.note('listening', { port });
  onListening();
  const ended = new AbortController();
  const abort = (): void => upload.fail(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  const following = followIdentity(
    { directory: settings.tlsDirectory, identity, interval: settings.renewalInterval, progress, signal: ended.signal },
    (renewed) => server.renew(renewed),
  );
  try {
    signal.throwIfAborted();
    const image = await importUpload({
      upload,
      progress,
      signal,
      target:
        target.contentType === 'archive'
          ? { directory: settings.dataDirectory }
          : {
              sink: createSink(target, { diskImage, blockDevice: settings.blockDevice }, progress),
              store,
              scratchDirectory: scratch ? settings.scratch : undefined,
            },
    });
    await server.succeed();
    const { bytesRead, bytesWritten } = progress.counters;
    return { outcome: 'succeeded', bytesRead, bytesWritten, ...image };
  } catch (error) {
    await server.refuse(error);
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    ended.abort();
    await following;
    await server.close();
  }
}
