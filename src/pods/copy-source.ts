import { asTransferError } from '../base/errors.ts';
import { Patience, type PatienceOptions } from '../base/patience.ts';
import type { Progress } from '../base/progress.ts';
import {
  COPY_SOURCE_REQUEST_VARIABLE,
  type CopySourceRequest,
  copySourceRequest,
  type TransferResult,
} from '../protocol/transfer-pod.ts';
import { askArrivedFiles, askTarget, sendCopy } from '../transfer/copy/copy-client.ts';
import type { TargetState } from '../transfer/copy/copy-protocol.ts';
import type { CopyServerAddress } from '../transfer/copy/copy-request.ts';
import { prepareContent } from '../transfer/copy/copy-source-volume.ts';
import { copiedVolume, withoutWrongRanges } from './copied-volume.ts';
import { type CloneSettings, podCloneSettings } from './copy-settings.ts';
import { readTransferIdentity } from './transfer-identity.ts';
import { requestFromEnvironment, runTransferRole } from './transfer-role.ts';

/** The settings of a copy client pod; the defaults are those of a pod. */
export interface CopySourceSettings extends CloneSettings {
  /** The request; by default read from the environment. */
  request?: CopySourceRequest;
}

/** The target pod starts at the same time as this one, and its volume may have to be attached first. */
const untilTargetIsUp: PatienceOptions = {
  giveUpAfter: 300_000,
  firstDelay: 100,
  longestDelay: 300,
  quietFor: 15_000,
};
const untilStreamArrives: PatienceOptions = { giveUpAfter: 300_000, firstDelay: 500, longestDelay: 30_000 };

/**
 * Runs the copy client pod: sends the source volume to the copy server, and resumes after every passing failure with
 * what has not arrived yet.
 *
 * @param overrides replaces settings of a pod
 * @returns the exit code: 0 when the target has the whole volume, 1 otherwise
 */
export async function runCopySource(overrides: Partial<CopySourceSettings> = {}): Promise<number> {
  const settings: CopySourceSettings = { ...podCloneSettings(), ...overrides };
  return runTransferRole({
    name: 'the clone source',
    logger: settings.logger,
    progressPort: settings.progressPort,
    metric: 'kubevirt_cdi_clone_progress_total',
    hasPhases: false,
    work: (progress, signal) => sendVolume(settings, progress, signal),
  });
}

async function sendVolume(
  settings: CopySourceSettings,
  progress: Progress,
  signal: AbortSignal,
): Promise<TransferResult> {
  const request = settings.request ?? requestFromEnvironment(COPY_SOURCE_REQUEST_VARIABLE, copySourceRequest);
  const server: CopyServerAddress = {
    host: request.server,
    port: settings.port,
    serverName: request.serverName,
    identity: await readTransferIdentity(settings.tlsDirectory),
  };
  let source = await copiedVolume(request, { ...settings, rangesDirectory: settings.tlsDirectory }, progress);

  const patience = new Patience(untilStreamArrives, progress, signal);
  let furthest = 0;
  const virtualSize = await patience.persist(async () => {
    progress.restart();
    const target = await waitForTarget(server, progress, signal);
    const content = await prepareContent(source, {
      ...target,
      transfer: request.transfer,
      arrivedFiles: () => askArrivedFiles(server, signal),
    });
    source = withoutWrongRanges(source, content.offer.allocation);
    progress.counters.bytesTotal = content.offer.bytesTotal;
    progress.enter('copying', { target: server.host, ...content.offer });
    try {
      const { takesUpgrades } = target;
      await sendCopy({ ...server, takesUpgrades }, content.offer, () => content.open(progress, signal), signal);
    } finally {
      // A failure after further progress is a new one, and gets the whole patience again.
      if (progress.counters.bytesRead > furthest) patience.renew();
      furthest = Math.max(furthest, progress.counters.bytesRead);
    }
    return content.offer.virtualSize;
  }, asTransferError);

  progress.enter('done');
  return {
    outcome: 'succeeded',
    bytesRead: progress.counters.bytesRead,
    bytesWritten: progress.counters.bytesWritten,
    ...(virtualSize !== undefined && { virtualSize }),
  };
}

async function waitForTarget(server: CopyServerAddress, progress: Progress, signal: AbortSignal): Promise<TargetState> {
  progress.enter('connecting', { target: server.host });
  const patience = new Patience(untilTargetIsUp, progress, signal);
  return patience.persist(() => askTarget(server, signal), asTransferError);
}
