import { stateAnnotation as names } from '../../api/annotations.ts';
import { courseOf } from '../../api/reasons.ts';
import { humanBytes } from '../../base/units.ts';
import type { TransferProgress } from '../../protocol/transfer-pod.ts';
import { transferRateAnnotation } from '../objects/internal-annotations.ts';
import { reportedText } from '../progress/reported-text.ts';

/** Characters: no termination message has more, and who may write a pod's status can write what they like. */
const LONGEST_MESSAGE = 4096;
/** Characters, of a name in CamelCase. */
const LONGEST_REASON = 128;

/** How a transfer into a claim stands, as its controller tells it on the claim. */
export interface TransferReport {
  readonly podPhase: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly restarts: number;
  readonly running: boolean;
  readonly reason: string;
  readonly message: string;
  /** `45.20%` or `N/A`. */
  readonly progress: string;
  /** How fast bytes are moved; undefined where none are, or where the pod does not tell. */
  readonly bytesPerSecond?: number;
}

/** The claim annotations that carry a report; always the whole set, so that nothing stale stays behind. */
export function reportAnnotations(report: TransferReport): Record<string, string> {
  return {
    [names.podPhase]: report.podPhase,
    [names.podReady]: String(report.running),
    [names.podRestarts]: String(report.restarts),
    [names.conditionRunning]: String(report.running),
    [names.conditionRunningReason]: report.reason,
    [names.conditionRunningMessage]: report.message,
    [names.populatorProgress]: report.progress,
    ...(report.bytesPerSecond !== undefined && { [transferRateAnnotation]: String(report.bytesPerSecond) }),
  };
}

/** Reads a report back from a claim; undefined where no transfer has reported on it. */
export function readReport(annotations: Readonly<Record<string, string>> | undefined): TransferReport | undefined {
  const podPhase = annotations?.[names.podPhase];
  if (!annotations || !podPhase) return undefined;
  const bytesPerSecond = Number(annotations[transferRateAnnotation]);
  return {
    podPhase: podPhase as TransferReport['podPhase'],
    restarts: Number(annotations[names.podRestarts] ?? 0),
    running: annotations[names.conditionRunning] === 'true',
    reason: annotations[names.conditionRunningReason] ?? '',
    message: annotations[names.conditionRunningMessage] ?? '',
    progress: annotations[names.populatorProgress] ?? 'N/A',
    ...(Number.isFinite(bytesPerSecond) && { bytesPerSecond }),
  };
}

/** What stands in the way, or what is being waited for. */
interface Cause {
  readonly reason: string;
  readonly message: string;
}

/** The report of a transfer that is not running yet, or not running between two attempts. */
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

/** Whether a transfer is only about to begin, and nothing is in its way. */
export function isStarting({ podPhase, reason }: TransferReport): boolean {
  return podPhase === 'Pending' && reason === 'Pending';
}

/** The report of a transfer that has failed for good. */
export function failedReport(restarts: number, cause: Cause): TransferReport {
  return { ...pendingReport(restarts, cause), podPhase: 'Failed' };
}

/** The report of a transfer that is complete. */
export function completedReport(restarts: number, message: string): TransferReport {
  return { podPhase: 'Succeeded', restarts, running: false, reason: 'Completed', message, progress: '100.0%' };
}

/**
 * The report of a transfer whose pods are running.
 *
 * @param recorded what was reported last, which stands while the pod does not tell
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

/** What is in a transfer's way, if anything: the reason of its report. */
export function troubleIn({ reason }: TransferReport): string | undefined {
  return courseOf(reason) === 'ordinary' ? undefined : reason;
}

/** What a running transfer does, for people: `1.2 GiB of 4.0 GiB, 180 MiB/s, converting`. */
function describeProgress(progress: TransferProgress): string {
  const read = humanBytes(progress.bytesRead + progress.bytesSkipped);
  const total = progress.bytesTotal === undefined ? '' : ` of ${humanBytes(progress.bytesTotal)}`;
  return `${read}${total}, ${humanBytes(Math.round(progress.bytesPerSecond))}/s, ${progress.stage}`;
}
