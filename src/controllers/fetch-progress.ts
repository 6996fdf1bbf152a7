import { Agent } from 'undici';
import { PROGRESS_PORT, transferProgress, type TransferProgress } from '../api/transfer-pod.ts';
import type { Pod } from '../kube/builtin-resources.ts';

const TIMEOUT_MILLISECONDS = 1_000;

const pods = new Agent();

/** How often a transfer's progress is worth telling. */
export const PROGRESS_INTERVAL_MILLISECONDS = 1_000;

/**
 * Asks transfer pods how far they are, each of them once a second at most: what is told wakes whoever tells it, and would be asked
 * for again at once.
 */
export class ProgressPoll {
  readonly #asked = new Set<string>();

  /** Undefined where the pod was asked within the last second; the progress in it is undefined where the pod does not answer. */
  async ask(pod: Pod): Promise<{ readonly progress: TransferProgress | undefined } | undefined> {
    const uid = pod.metadata?.uid ?? '';
    if (this.#asked.has(uid)) return undefined;
    this.#asked.add(uid);
    setTimeout(() => this.#asked.delete(uid), PROGRESS_INTERVAL_MILLISECONDS).unref();
    return { progress: pod.status?.podIP ? await fetchProgress(pod.status.podIP) : undefined };
  }
}

/**
 * Asks a running transfer pod how far it is. Undefined when it does not answer in a second or not with a progress
 * document: progress is a courtesy, and the lack of it never an error.
 */
async function fetchProgress(podIP: string): Promise<TransferProgress | undefined> {
  const host = podIP.includes(':') ? `[${podIP}]` : podIP;
  try {
    const response = await pods.request({
      origin: `http://${host}:${PROGRESS_PORT}`,
      path: '/progress',
      method: 'GET',
      headersTimeout: TIMEOUT_MILLISECONDS,
      bodyTimeout: TIMEOUT_MILLISECONDS,
      signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
    });
    if (response.statusCode !== 200) {
      await response.body.dump();
      return undefined;
    }
    return transferProgress.safeParse(await response.body.json()).data;
  } catch {
    return undefined;
  }
}
