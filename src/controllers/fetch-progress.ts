import { request } from 'undici';
import { PROGRESS_PORT, transferProgress, type TransferProgress } from '../api/transfer-pod.ts';

const TIMEOUT_MILLISECONDS = 1_000;

/**
 * Asks a running transfer pod how far it is. Undefined when it does not answer in a second or not with a progress
 * document: progress is a courtesy, and the lack of it never an error.
 */
export async function fetchProgress(podIP: string): Promise<TransferProgress | undefined> {
  const host = podIP.includes(':') ? `[${podIP}]` : podIP;
  try {
    const response = await request(`http://${host}:${PROGRESS_PORT}/progress`, {
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
