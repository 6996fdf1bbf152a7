import { asTransferError } from '../base/errors.ts';
import { createLogger, type Logger } from '../base/logger.ts';
import { Patience, type PatienceOptions } from '../base/patience.ts';
import { Progress } from '../base/progress.ts';
import {
  BLOCK_DEVICE_PATH,
  COPY_VOLUME_REQUEST_VARIABLE,
  type CopyVolumeRequest,
  copyVolumeRequest,
  DATA_DIRECTORY,
  PROGRESS_PORT,
  SOURCE_BLOCK_DEVICE_PATH,
  SOURCE_DATA_DIRECTORY,
  TRANSFER_TLS_DIRECTORY,
  type TransferResult,
} from '../protocol/transfer-pod.ts';
import { prepareContent } from '../transfer/copy/copy-source-volume.ts';
import { copyVolume } from '../transfer/copy/copy-volume.ts';
import { copiedVolume, withoutWrongRanges } from './copied-volume.ts';
import { copyFromEnvironment } from './copy-settings.ts';
import { CopyTargetVolume } from './copy-target-volume.ts';
import { requestFromEnvironment, runTransferRole } from './transfer-role.ts';

/** The settings of a pod that has both volumes of a copy; the defaults are those of a pod. */
export interface CopyVolumeSettings {
  /** The request; by default read from the environment. */
  request?: CopyVolumeRequest;
  sourceDirectory: string;
  sourceDevice: string;
  dataDirectory: string;
  blockDevice: string;
  rangesDirectory: string;
  progressPort: number;
  logger: Logger;
}

/** A volume that fails to be read or written recovers within the process, or another pod has to mount it. */
const untilCopied: PatienceOptions = { giveUpAfter: 60_000, firstDelay: 500, longestDelay: 15_000 };

/**
 * Runs the pod that has both volumes of a host-assisted copy. Whatever was on the target is replaced, except for a part
 * of the same copy, which is resumed, whichever pods have begun it.
 *
 * @param overrides replaces settings of a pod
 * @returns the exit code: 0 when the volume is filled, 1 otherwise
 */
export async function runCopyVolume(overrides: Partial<CopyVolumeSettings> = {}): Promise<number> {
  const settings: CopyVolumeSettings = {
    sourceDirectory: SOURCE_DATA_DIRECTORY,
    sourceDevice: SOURCE_BLOCK_DEVICE_PATH,
    dataDirectory: DATA_DIRECTORY,
    blockDevice: BLOCK_DEVICE_PATH,
    rangesDirectory: TRANSFER_TLS_DIRECTORY,
    progressPort: PROGRESS_PORT,
    logger: createLogger(),
    ...overrides,
  };
  return runTransferRole({
    name: 'the copy',
    logger: settings.logger,
    progressPort: settings.progressPort,
    metric: 'kubevirt_cdi_clone_progress_total',
    work: (progress, signal) => copy(settings, progress, signal),
  });
}

async function copy(settings: CopyVolumeSettings, progress: Progress, signal: AbortSignal): Promise<TransferResult> {
  const request = settings.request ?? requestFromEnvironment(COPY_VOLUME_REQUEST_VARIABLE, copyVolumeRequest);
  const { sourceVolumeMode: volumeMode, target, transfer } = request;
  // What is read and what is written of it are different numbers.
  const written = new Progress((step, details) => progress.note(step, details));
  const volume = new CopyTargetVolume({ ...request, copy: copyFromEnvironment() }, settings, written);
  let source = await copiedVolume(
    { volumeMode, contentType: target.contentType },
    {
      dataDirectory: settings.sourceDirectory,
      blockDevice: settings.sourceDevice,
      rangesDirectory: settings.rangesDirectory,
    },
    progress,
  );
  const patience = new Patience(untilCopied, progress, signal);
  let furthest = 0;
  const { virtualSize, preallocated, unchangedBytes, allocation } = await patience.persist(async () => {
    progress.restart();
    written.restart();
    const arrivedFiles = (): Promise<Buffer> => volume.arrivedFiles();
    const content = await prepareContent(source, { ...(await volume.state()), transfer, arrivedFiles });
    source = withoutWrongRanges(source, content.offer.allocation);
    progress.counters.bytesTotal = content.offer.bytesTotal;
    progress.enter('copying', { ...content.offer });
    try {
      return await copyVolume(content, volume, progress, signal);
    } finally {
      // A failure after further progress is a new one, and gets the whole patience again.
      if (progress.counters.bytesRead > furthest) patience.renew();
      furthest = Math.max(furthest, progress.counters.bytesRead);
    }
  }, asTransferError);
  progress.enter('done');
  return {
    outcome: 'succeeded',
    bytesRead: progress.counters.bytesRead,
    bytesWritten: written.counters.bytesWritten,
    ...(virtualSize !== undefined && { virtualSize, format: 'raw' }),
    preallocated,
    ...(unchangedBytes !== undefined && { unchangedBytes }),
    ...(allocation && { allocation }),
  };
}
