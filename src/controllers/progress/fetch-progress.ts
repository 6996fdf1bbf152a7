import { Agent } from 'undici';
import type { TransferProgress } from '../../protocol/transfer-pod.ts';
import { reportedProgress } from './reported-progress.ts';

const TIMEOUT_MILLISECONDS = 1_000;
/** Bytes of a body that are read: a progress document has less than one KiB, with a checkpoint of many ranges some dozens. */
const LONGEST_BODY = 64 * 1024;
/** Bytes. */
const LONGEST_HEAD = 4 * 1024;
/** Milliseconds that a connection is kept for the next question, whatever the pod asks for. */
const KEEP_ALIVE_MILLISECONDS = 4_000;

/** One connection to each pod. Redirects are not followed, which is undici's default. */
const pods = new Agent({
  connections: 1,
  allowH2: false,
  connect: { timeout: TIMEOUT_MILLISECONDS },
  maxResponseSize: LONGEST_BODY,
  maxHeaderSize: LONGEST_HEAD,
  keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
  keepAliveMaxTimeout: KEEP_ALIVE_MILLISECONDS,
});

/**
 * Asks a running transfer pod how far it is. Undefined when it does not answer in a second or not with a progress
 * document: progress is a courtesy, and the lack of it never an error. The pod may be a user's own that poses as one: no more of it
 * is read than a progress document can have.
 *
 * @param origin `http://address:port`
 */
export async function fetchProgress(origin: string): Promise<TransferProgress | undefined> {
  try {
    const response = await pods.request({
      origin,
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
    return reportedProgress(await response.body.json());
  } catch {
    return undefined;
  }
}
