import type { Progress } from '../base/progress.ts';
import {
  COPY_TARGET_REQUEST_VARIABLE,
  type CopyTargetRequest,
  copyTargetRequest,
  type TransferResult,
} from '../protocol/transfer-pod.ts';
import { CopyServer } from '../transfer/copy/copy-server.ts';
import { type CloneSettings, copyFromEnvironment, podCloneSettings } from './copy-settings.ts';
import { CopyTargetVolume } from './copy-target-volume.ts';
import { readTransferIdentity } from './transfer-identity.ts';
import { requestFromEnvironment, runTransferRole } from './transfer-role.ts';

/** The settings of a copy server pod; the defaults are those of a pod. */
export interface CopyTargetSettings extends CloneSettings {
  /** The request; by default read from the environment. */
  request?: CopyTargetRequest;
  /** The address to listen on; by default all of the pod's. */
  host?: string;
}

/**
 * Runs the copy server pod: receives one clone and writes it to the target volume. Whatever was there is replaced,
 * except for a part of the same clone, which is resumed.
 *
 * @param overrides replaces settings of a pod
 * @returns the exit code: 0 when the volume is filled, 1 otherwise
 */
export async function runCopyTarget(overrides: Partial<CopyTargetSettings> = {}): Promise<number> {
  const settings: CopyTargetSettings = { ...podCloneSettings(), ...overrides };
  return runTransferRole({
    name: "the copy's target",
    logger: settings.logger,
    progressPort: settings.progressPort,
    metric: 'kubevirt_cdi_clone_progress_total',
    work: (progress, signal) => receiveVolume(settings, progress, signal),
  });
}

async function receiveVolume(
  settings: CopyTargetSettings,
  progress: Progress,
  signal: AbortSignal,
): Promise<TransferResult> {
  const request = settings.request ?? requestFromEnvironment(COPY_TARGET_REQUEST_VARIABLE, copyTargetRequest);
  const listener = new CopyServer({
    port: settings.port,
    ...(settings.host !== undefined && { host: settings.host }),
    identity: await readTransferIdentity(settings.tlsDirectory),
    target: new CopyTargetVolume({ ...request, copy: copyFromEnvironment() }, settings, progress),
    progress,
    signal,
  });
  progress.enter('connecting', { port: await listener.listen() });
  try {
    const { virtualSize, preallocated, unchangedBytes, allocation } = await listener.received();
    return {
      outcome: 'succeeded',
      bytesRead: progress.counters.bytesRead,
      bytesWritten: progress.counters.bytesWritten,
      ...(virtualSize !== undefined && { virtualSize, format: 'raw' }),
      preallocated,
      ...(unchangedBytes !== undefined && { unchangedBytes }),
      ...(allocation && { allocation }),
    };
  } finally {
    await listener.close();
  }
}
