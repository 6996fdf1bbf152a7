import { dirname } from 'node:path';
import { createLogger, type Logger } from '../base/logger.ts';
import { unmapExecutable } from '../base/native/executable-pages.ts';
import type { PatienceOptions } from '../base/patience.ts';
import type { Progress } from '../base/progress.ts';
import {
  BLOCK_DEVICE_PATH,
  CERTIFICATES_DIRECTORY,
  CREDENTIALS_DIRECTORY,
  DISK_IMAGE_PATH,
  IMPORT_REQUEST_VARIABLE,
  importRequest,
  PROGRESS_PORT,
  PROXY_CERTIFICATES_DIRECTORY,
  PULLED_IMAGE_DIRECTORY,
  SCRATCH_DIRECTORY,
  SECRET_HEADERS_DIRECTORY,
  SOURCE_FILES_DIRECTORY,
  type TransferResult,
  VDDK_OPTIONS_DIRECTORY,
} from '../protocol/transfer-pod.ts';
import { VDDK_LIBRARY_FOLDER, VDDK_PLUGIN_PATH } from '../source/vddk/library.ts';
import { importDisk } from '../transfer/disk/import-disk.ts';
import { writeBlankDisk } from '../transfer/import/blank-disk.ts';
import { importImage } from '../transfer/import/import-image.ts';
import { importArchive } from '../transfer/import-archive.ts';
import { checkpointStoreOf, stageStoreOf } from './checkpoints.ts';
import { keepGarbageSmall } from './memory.ts';
import { missingDependency } from './missing-dependency.ts';
import type { SourceMounts } from './openers/opener.ts';
import { openSource } from './openers/openers.ts';
import { ReportedRecord } from './reported-record.ts';
import { requestFromEnvironment, runTransferRole } from './transfer-role.ts';
import { createSink } from './transfer-sink.ts';

/** The settings of an importer pod; the defaults are those of a pod. */
export interface ImporterSettings extends SourceMounts {
  diskImage: string;
  blockDevice: string;
  scratch: string;
  progressPort: number;
  patience?: PatienceOptions;
  logger: Logger;
}

/**
 * Runs the importer pod: carries out the request in the environment, serves its progress meanwhile, and leaves the
 * result as termination message.
 *
 * @param overrides replaces settings of a pod
 * @returns the exit code: 0 when the volume is filled, 1 otherwise
 */
export async function runImporter(overrides: Partial<ImporterSettings> = {}): Promise<number> {
  const settings: ImporterSettings = {
    credentials: CREDENTIALS_DIRECTORY,
    certificates: CERTIFICATES_DIRECTORY,
    proxyCertificates: PROXY_CERTIFICATES_DIRECTORY,
    secretHeaders: SECRET_HEADERS_DIRECTORY,
    pulledImage: PULLED_IMAGE_DIRECTORY,
    sourceFiles: SOURCE_FILES_DIRECTORY,
    vddkLibrary: VDDK_LIBRARY_FOLDER,
    vddkOptions: VDDK_OPTIONS_DIRECTORY,
    vddkPlugin: VDDK_PLUGIN_PATH,
    diskImage: DISK_IMAGE_PATH,
    blockDevice: BLOCK_DEVICE_PATH,
    scratch: SCRATCH_DIRECTORY,
    progressPort: PROGRESS_PORT,
    logger: createLogger(),
    ...overrides,
  };
  const reported = { checkpoint: new ReportedRecord(), openTransfers: new ReportedRecord() };
  return runTransferRole({
    name: 'the importer',
    logger: settings.logger,
    progressPort: settings.progressPort,
    metric: 'kubevirt_cdi_import_progress_total',
    ...reported,
    work: (progress, signal) => importVolume(settings, reported, progress, signal),
  });
}

async function importVolume(
  settings: ImporterSettings,
  { checkpoint, openTransfers }: { checkpoint: ReportedRecord; openTransfers: ReportedRecord },
  progress: Progress,
  signal: AbortSignal,
): Promise<TransferResult> {
  const request = requestFromEnvironment(IMPORT_REQUEST_VARIABLE, importRequest);
  const { target, format, scratch, followsInternalRedirects, stage } = request;
  const missing = await missingDependency(request.dependencies);
  if (missing) return missing;
  const sink = createSink(target, settings, progress, { keepsDiskSize: stage?.isFinal === false });
  const { patience } = settings;
  openTransfers.text = request.openTransfer;
  const opening = { mounts: settings, followsInternalRedirects, patience, progress, signal, stage, openTransfers };
  const opened = await openSource(request.source, opening);
  unmapExecutable();
  if (opened === undefined) {
    return succeeded(progress, await writeBlankDisk(sink, progress));
  }
  const checkpoints = { store: checkpointStoreOf(request, settings, checkpoint) };
  if ('disk' in opened) {
    keepGarbageSmall();
    const stages = stageStoreOf(target, settings);
    const { disk } = opened;
    const image = await importDisk({ disk, stage, stages, sink, progress, checkpoints, signal });
    const { version, host } = opened.vddk?.() ?? {};
    return succeeded(progress, { ...image, ...(opened.vddk ? { vddk: { version, host } } : {}) });
  }
  const { source, checksum } = opened;
  if (target.contentType === 'archive') {
    await importArchive({ source, directory: dirname(settings.diskImage), progress, checksum, signal });
    return succeeded(progress, {});
  }
  const image = await importImage({
    source,
    sink,
    progress,
    checksum,
    format,
    scratchDirectory: scratch ? settings.scratch : undefined,
    checkpoints,
    signal,
  });
  const { labels } = source;
  return succeeded(progress, { ...image, ...(labels === undefined ? {} : { labels }) });
}

function succeeded(
  { counters: { bytesRead, bytesWritten } }: Progress,
  more: Partial<Extract<TransferResult, { outcome: 'succeeded' }>>,
): TransferResult {
  return { outcome: 'succeeded', bytesRead, bytesWritten, ...more };
}
