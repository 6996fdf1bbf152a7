import { stateAnnotation as names } from '../../api/annotations.ts';
import { courseOf } from '../../api/reasons.ts';
import { formatBytes } from '../../base/format-bytes.ts';
import type { TransferProgress } from '../../protocol/transfer-pod.ts';
import { transferRateAnnotation } from '../objects/internal-annotations.ts';
import { reportedText } from '../progress/reported-text.ts';
import { isBetweenStages, PAUSED_REASON } from './transfer-stages.ts';

/**
 * Longest message in characters. Termination messages are not longer, but anybody with the right to write a pod's
 * status can write more.
 */
const LONGEST_MESSAGE = 4096;
/** Longest reason in characters, which is a name in CamelCase. */
const LONGEST_REASON = 128;

/** The state of a transfer into a claim, as its controller reports it on the claim. */
export interface TransferReport {
  /** Phase of its pod; `Paused` where that has succeeded, and another stage of the transfer is to follow. */
  readonly podPhase: 'Pending' | 'Running' | 'Paused' | 'Succeeded' | 'Failed';
  readonly restarts: number;
  readonly running: boolean;
  readonly reason: string;
  readonly message: string;
  /** Progress as `45.20%` or `N/A`. */
  readonly progress: string;
  /** Transfer rate in bytes per second; undefined while nothing is moved, or where the pod does not report it. */
  readonly bytesPerSecond?: number;
}

/** Returns the claim annotations that represent a report; always the whole set, so that no stale ones remain. */
export function reportAnnotations(report: TransferReport): Record<string, string> {
  return {
    [names.podPhase]: report.podPhase === 'Paused' ? 'Succeeded' : report.podPhase,
    [names.podReady]: String(report.running),
    [names.podRestarts]: String(report.restarts),
    [names.conditionRunning]: String(report.running),
    [names.conditionRunningReason]: report.reason,
    [names.conditionRunningMessage]: report.message,
    [names.populatorProgress]: report.progress,
    ...(report.bytesPerSecond !== undefined && { [transferRateAnnotation]: String(report.bytesPerSecond) }),
  };
}

/** Reads a report from a claim's annotations; undefined where no transfer has reported on it. */
export function readReport(annotations: Readonly<Record<string, string>> | undefined): TransferReport | undefined {
  const podPhase = annotations?.[names.podPhase];
  if (!annotations || !podPhase) return undefined;
  const isPaused = podPhase === 'Succeeded' && isBetweenStages(annotations);
  // Unlike ours, a pod of CDI that has failed is started again, and CDI writes no progress beside its phase.
  const isPassing = podPhase === 'Failed' && annotations[names.populatorProgress] === undefined;
  const bytesPerSecond = Number(annotations[transferRateAnnotation]);
  return {
    podPhase: isPaused ? 'Paused' : isPassing ? 'Pending' : (podPhase as TransferReport['podPhase']),
    restarts: Number(annotations[names.podRestarts] ?? 0),
    running: annotations[names.conditionRunning] === 'true',
    reason: annotations[names.conditionRunningReason] ?? '',
    message: annotations[names.conditionRunningMessage] ?? '',
    progress: annotations[names.populatorProgress] ?? 'N/A',
    ...(Number.isFinite(bytesPerSecond) && { bytesPerSecond }),
  };
}

/** What prevents the transfer, or what it waits for. */
interface Cause {
  readonly reason: string;
  readonly message: string;
}

/** Returns the report of a transfer that is not running yet, or not running between two attempts. */
export function pendingReport(restarts: number, { reason, message }: Cause): TransferReport {
  return {
    podPhase: 'Pending',
    restarts,
    running: false,
    reason: reportedText(reason, LONGEST_REASON),
    message: reportedText(message, LONGEST_MESSAGE),
    progress: 'N/A',
  };
}

/** Reports whether a transfer is about to begin, with nothing preventing it. */
export function isStarting({ podPhase, reason }: TransferReport): boolean {
  return podPhase === 'Pending' && reason === 'Pending';
}

/** Returns the report of a transfer that has failed permanently. */
export function failedReport(restarts: number, cause: Cause): TransferReport {
  return { ...pendingReport(restarts, cause), podPhase: 'Failed' };
}

/** Returns the report of a transfer that is complete. */
export function completedReport(restarts: number, message: string): TransferReport {
  return { podPhase: 'Succeeded', restarts, running: false, reason: 'Completed', message, progress: '100.0%' };
}

/** Returns the report of a transfer of which a stage is complete, and another one is to follow. */
export function pausedReport(restarts: number): TransferReport {
  const message = 'A stage is complete; the import goes on with the next one of the checkpoints';
  return { podPhase: 'Paused', restarts, running: false, reason: PAUSED_REASON, message, progress: '100.0%' };
}

/**
 * Returns the report of a transfer whose pods are running.
 *
 * @param recorded last report, which stays valid while the pod does not report
 */
export function runningReport(
  recorded: TransferReport | undefined,
  progress: TransferProgress | undefined,
  restarts: number,
): TransferReport {
  const known = recorded?.podPhase === 'Running' ? recorded : undefined;
  const running = { podPhase: 'Running', restarts, running: true } as const;
  if (!progress) {
    return {
      ...running,
      reason: known?.reason ?? 'TransferRunning',
      message: known?.message ?? 'The transfer has been started',
      progress: known?.progress ?? 'N/A',
      ...(known?.bytesPerSecond !== undefined && { bytesPerSecond: known.bytesPerSecond }),
    };
  }
  return {
    ...running,
    reason: progress.failure ? 'Retrying' : 'TransferRunning',
    message: progress.failure ?? describeProgress(progress),
    progress: progress.percent === undefined ? 'N/A' : `${Math.min(progress.percent, 100).toFixed(2)}%`,
    bytesPerSecond: Math.round(progress.bytesPerSecond),
  };
}

/** Returns what prevents a transfer, if anything: the reason of its report. */
export function troubleIn({ reason }: TransferReport): string | undefined {
  return courseOf(reason) === 'ordinary' ? undefined : reason;
}

/** The beginning of the stage of a pod to which nothing can come until something happens elsewhere. */
const WAITING = 'waiting for ';

/**
 * Describes a running transfer for people: `1.2 GiB of 4.0 GiB, 180 MiB/s, converting`, or what it waits for alone.
 */
function describeProgress(progress: TransferProgress): string {
  if (progress.stage.startsWith(WAITING)) return progress.stage;
  const read = formatBytes(progress.bytesRead + progress.bytesSkipped);
  const total = progress.bytesTotal === undefined ? '' : ` of ${formatBytes(progress.bytesTotal)}`;
  return `${read}${total}, ${formatBytes(Math.round(progress.bytesPerSecond))}/s, ${progress.stage}`;
}
