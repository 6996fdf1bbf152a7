import { Agent, type Dispatcher } from 'undici';
import type { TransferProgress } from '../../protocol/transfer-pod.ts';
import { reportedProgress } from './reported-progress.ts';

const TIMEOUT_MILLISECONDS = 1_000;
/**
 * Longest body that is read, in bytes: a progress document has less than one KiB, or some dozens with a checkpoint of
 * many ranges.
 */
const LONGEST_BODY = 64 * 1024;
/** Longest response header, in bytes. */
const LONGEST_HEAD = 4 * 1024;
/** Milliseconds that a connection is kept for the next request, whatever the pod asks for. */
const KEEP_ALIVE_MILLISECONDS = 4_000;

/** Keeps one connection to each pod. Redirects are not followed, which is undici's default. */
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
 * Fetches the progress of a running transfer pod. It is undefined when the pod does not answer within a second, or not
 * with a progress document: progress is best-effort, and its absence never an error. The pod may be an impostor of a
 * user, so no more is read of its answer than a progress document can have.
 *
 * @param origin `http://address:port`
 */
export async function fetchProgress(origin: string): Promise<TransferProgress | undefined> {
  try {
    const response = await get(origin, '/progress');
    if (response.statusCode !== 200) {
      await response.body.dump();
      return undefined;
    }
    return reportedProgress(await response.body.json());
  } catch {
    return undefined;
  }
}

/**
 * Asks a running transfer pod whether it can be used; undefined when it does not answer within a second.
 *
 * @param origin `http://address:port`
 */
export async function fetchHealth(origin: string): Promise<boolean | undefined> {
  try {
    const response = await get(origin, '/healthz');
    await response.body.dump();
    return response.statusCode === 200;
  } catch {
    return undefined;
  }
}

function get(origin: string, path: string): Promise<Dispatcher.ResponseData> {
  return pods.request({
    origin,
    path,
    method: 'GET',
    headersTimeout: TIMEOUT_MILLISECONDS,
    bodyTimeout: TIMEOUT_MILLISECONDS,
    signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
  });
}
