import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';

/** An answer that was received as a whole. */
export interface Answer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface ExchangeOptions extends Dispatcher.DispatchOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for which the request may wait for a connection that others have. */
  readonly queueTimeout: number;
}

/** A request was not sent, because others had all connections for too long. */
class QueueTimeoutError extends Error {
  constructor(milliseconds: number) {
    super(`no connection became free for the request within ${milliseconds / 1000} s`);
  }
}

/**
 * Sends a request and receives the answer as a whole. It takes much less processor time than a request whose answer can
 * be read as a stream.
 *
 * @param onStatus called when the headers have come
 * @throws the signal's reason, if that was aborted; otherwise what undici says of a broken connection, or that none
 *   became free in time
 */
export async function exchange(
  dispatcher: Dispatcher,
  { signal, queueTimeout, ...options }: ExchangeOptions,
  onStatus: (statusCode: number) => void,
): Promise<Answer> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let answered: IncomingHttpHeaders = {};
    let isOver = false;
    const end = () => {
      isOver = true;
      clearTimeout(queued);
      signal?.removeEventListener('abort', onAbort);
    };
    // Until there is a connection for it, nothing has been sent, and undici has nothing to stop.
    let stop = (reason: Error): void => {
      end();
      reject(reason);
    };
    const onAbort = () => stop(signal?.reason as Error);
    const queued = setTimeout(() => stop(new QueueTimeoutError(queueTimeout)), queueTimeout);
    signal?.addEventListener('abort', onAbort, { once: true });
    dispatcher.dispatch(options, {
      onRequestStart: (controller) => {
        clearTimeout(queued);
        stop = (reason) => controller.abort(reason);
        // Its turn comes, though it was given up; to abort it would close the connection.
        if (isOver) throw new Error('the request was given up while it waited');
      },
      onResponseStart: (_, statusCode, headers) => {
        // An answer such as 100 Continue precedes the actual one.
        if (statusCode < 200) return;
        status = statusCode;
        answered = headers;
        onStatus(statusCode);
      },
      onResponseData: (_, chunk) => void chunks.push(chunk),
      onResponseEnd: () => {
        end();
        const text = (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString();
        resolve({ statusCode: status, headers: answered, text });
      },
      onResponseError: (_, error) => {
        end();
        reject(error);
      },
    });
  });
}
