import type { Pod } from '../../kube/builtin-resources.ts';
import type { Result } from '../../kube/controller.ts';
import type { TransferProgress } from '../../protocol/transfer-pod.ts';
import { PROGRESS_INTERVAL_MILLISECONDS } from '../progress/progress-poll.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { awaitedIn, awaitsObject, mayStillLook } from './awaited-object.ts';
import type { PodVerdict } from './pod-verdict.ts';
import { countWaiting, remainingDelay } from './retry-delay.ts';
import { explainSlowStart } from './slow-start.ts';
import { failedReport, pendingReport, runningReport, type TransferReport } from './transfer-report.ts';

/** The verdict on a transfer that has not succeeded. */
export type UnfinishedVerdict = Extract<PodVerdict, { state: 'pending' | 'running' | 'failed' }>;

/** What is known of a transfer besides the verdict. */
export interface Attempt {
  /** Pod that knows the progress; if one is pending, that one. */
  readonly pod: Pod;
  /** Number of failed attempts before this one. */
  readonly restarts: number;
  /** Last recorded report. */
  readonly recorded: TransferReport | undefined;
}

/**
 * The report to write, if it is new, and what to do then: look again as the outcome specifies, or recreate the pods.
 */
export interface FollowUp {
  readonly report?: TransferReport;
  /** Progress of the pod, if it was polled now and answered. */
  readonly progress?: TransferProgress | undefined;
  readonly next: Result | 'start-again';
}

type FollowerContext = Pick<ControllerContext, 'client' | 'now' | 'progress'>;

/** Follows transfers by the verdicts on their pods, until they have succeeded. */
export class TransferFollower {
  readonly #context: FollowerContext;

  constructor(context: FollowerContext) {
    this.#context = context;
  }

  async follow(verdict: UnfinishedVerdict, { pod, restarts, recorded }: Attempt): Promise<FollowUp> {
    switch (verdict.state) {
      case 'pending': {
        if (verdict.reason !== 'Pending') return { report: pendingReport(restarts, verdict), next: undefined };
        const { cause, next } = await explainSlowStart(this.#context, pod);
        return { report: pendingReport(restarts, cause ?? awaitedIn(recorded) ?? verdict), next };
      }
      case 'running': {
        const answer = await this.#context.progress.ask(pod);
        const next = { requeueAfter: PROGRESS_INTERVAL_MILLISECONDS };
        if (!answer) return { next };
        if (!answer.progress && awaitedIn(recorded) && mayStillLook(pod, this.#context.now())) return { next };
        return { ...answer, report: runningReport(recorded, answer.progress, restarts), next };
      }
      case 'failed': {
        if (verdict.permanent) return { report: failedReport(restarts, verdict), next: undefined };
        const failures = awaitsObject(verdict) ? countWaiting(restarts) : restarts + 1;
        const delay = remainingDelay(verdict, failures, this.#context.now());
        return {
          report: pendingReport(failures, verdict),
          next: delay > 0 ? { requeueAfter: delay } : 'start-again',
        };
      }
    }
  }
}
