import type { Pod } from '../../kube/builtin-resources.ts';
import type { TransferProgress } from '../../protocol/transfer-pod.ts';
import { fetchProgress } from './fetch-progress.ts';
import { PodPoll, type PodPollOptions } from './pod-poll.ts';

/** Shortest interval between two reports of a transfer's progress. */
export const PROGRESS_INTERVAL_MILLISECONDS = 1_000;

/**
 * Polls the progress of transfer pods, at most once a second each: writing a report wakes the reconciler that wrote it,
 * which would otherwise poll again at once. All controllers share one instance, so that their polls are bounded in
 * total.
 */
export class ProgressPoll {
  readonly #poll: PodPoll<TransferProgress>;

  constructor(options: Partial<Omit<PodPollOptions<TransferProgress>, 'interval'>> = {}) {
    this.#poll = new PodPoll({ fetch: fetchProgress, ...options, interval: PROGRESS_INTERVAL_MILLISECONDS });
  }

  /** Polls a pod's progress, as {@link PodPoll.poll} does. */
  async ask(pod: Pod): Promise<{ readonly progress: TransferProgress | undefined } | undefined> {
    const polled = await this.#poll.poll(pod);
    return polled && { progress: polled.answer };
  }
}
