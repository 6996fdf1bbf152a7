import {
  UPLOAD_SERVER_REQUEST_VARIABLE,
  uploadServerRequest,
  type TransferResult,
  type UploadServerRequest,
} from '../protocol/transfer-pod.ts';
import { UploadListener } from '../transfer/copy/copy-server.ts';
import type { Progress } from '../base/progress.ts';
import { podCloneSettings, type CloneSettings } from './copy-settings.ts';
import { readTransferIdentity } from './transfer-identity.ts';
import { requestFromEnvironment, runTransferRole } from './transfer-role.ts';
import { UploadTarget } from './copy-target-volume.ts';

/** Everything about an upload server pod; where nothing else is said, as it is in the pod. */
export interface UploadServerSettings extends CloneSettings {
  /** Read from the environment where it is missing. */
  request?: UploadServerRequest;
  /** The address to listen on; all of the pod's where it is missing. */
  host?: string;
}

/**
 * The upload server pod: takes one clone from its source and writes it to the target volume, whatever was there before but a
 * part of the same clone, with which it goes on.
 *
 * @param overrides of what is otherwise a pod's
 * @returns the exit code: 0 when the volume is filled, 1 otherwise
 */
export async function runUploadServer(overrides: Partial<UploadServerSettings> = {}): Promise<number> {
  const settings: UploadServerSettings = { ...podCloneSettings(), ...overrides };
  return runTransferRole({
    name: 'the upload server',
    logger: settings.logger,
    progressPort: settings.progressPort,
    metric: 'kubevirt_cdi_clone_progress_total',
    work: (progress, signal) => receiveVolume(settings, progress, signal),
  });
}

async function receiveVolume(
  settings: UploadServerSettings,
  progress: Progress,
  signal: AbortSignal,
): Promise<TransferResult> {
  const { target } = settings.request ?? requestFromEnvironment(UPLOAD_SERVER_REQUEST_VARIABLE, uploadServerRequest);
  const listener = new UploadListener({
    port: settings.port,
    ...(settings.host !== undefined && { host: settings.host }),
    identity: await readTransferIdentity(settings.tlsDirectory),
    target: new UploadTarget(target, settings, progress),
    progress,
    signal,
  });
  progress.enter('connecting', { port: await listener.listen() });
  try {
    const { virtualSize, preallocated } = await listener.received();
    return {
      outcome: 'succeeded',
      bytesRead: progress.bytesRead,
      bytesWritten: progress.bytesWritten,
      ...(virtualSize !== undefined && { virtualSize, format: 'raw' }),
      preallocated,
    };
  } finally {
    await listener.close();
  }
}
