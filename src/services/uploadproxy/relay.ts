import type { IncomingMessage } from 'node:http';
import type { Answer, Exchange } from './exchange.ts';
import { watchOver } from './liveness.ts';
import { Refusal } from './refusal.ts';

/** Milliseconds that a client may send nothing while it is waited for. */
export const CLIENT_PATIENCE_MILLISECONDS = 120_000;

/**
 * Passes the body of a request on to an upload server, as fast as the slower end allows, until the server answers:
 * after the body, or while it is still being sent.
 *
 * @param isThere asks whether the server takes connections
 * @returns the server's answer
 * @throws Refusal 503 when the server is gone, 408 when the client is silent
 * @throws the signal's reason
 */
export async function relay(
  request: IncomingMessage,
  exchange: Exchange,
  isThere: (signal: AbortSignal) => Promise<boolean>,
  signal: AbortSignal,
): Promise<Answer> {
  const { request: toServer } = exchange;
  const { promise: ended, reject: end } = Promise.withResolvers<never>();
  const abandon = (): void => end(signal.reason);
  signal.addEventListener('abort', abandon, { once: true });
  const { socket } = request;
  const stopWatching = watchOver({
    moved: () => socket.bytesRead,
    awaitsClient: () => !request.complete && !toServer.writableNeedDrain,
    isThere,
    clientPatience: CLIENT_PATIENCE_MILLISECONDS,
    onServerGone: () => end(gone('it is not there any more')),
    onClientSilent: () =>
      end(
        new Refusal(
          408,
          `nothing of the image has arrived for ${CLIENT_PATIENCE_MILLISECONDS / 1000} s, so that the upload was ended: send it again`,
        ),
      ),
  });
  try {
    request.pipe(toServer);
    return await Promise.race([exchange.answer, ended]);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof Refusal ? error : gone(error instanceof Error ? error.message : String(error), error);
  } finally {
    stopWatching();
    signal.removeEventListener('abort', abandon);
    request.unpipe(toServer);
    exchange.end();
  }
}

function gone(why: string, cause?: unknown): Refusal {
  return new Refusal(
    503,
    `the connection to the upload server broke in the middle of the upload (${why}): send the image again, of which ` +
      'what is already written is not written again',
    { cause },
  );
}
