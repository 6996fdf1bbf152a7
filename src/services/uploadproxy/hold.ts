import { delay } from '../../kube/delay.ts';
import { toError } from '../../kube/errors.ts';
import type { UploadTokenClaims } from '../../protocol/upload-token.ts';
import { Exchange } from './exchange.ts';
import { Refusal } from './refusal.ts';
import { ServerSearch } from './server-search.ts';
import type { UploadServer, UploadServers } from './upload-servers.ts';

/** Milliseconds that a server may take to want a body, once it is connected to. */
const BEGIN_MILLISECONDS = 30_000;

/** An exchange that a server has begun. */
export interface Begun {
  readonly exchange: Exchange;
  readonly server: UploadServer;
  /** Whether the server wants the body of the request, and has not answered already. */
  readonly wantsBody: boolean;
}

/**
 * Holds a request until an upload server wants its body, or has answered. Clients such as virtctl give up soon when
 * they are refused, and wait as long as they are held.
 *
 * @param patience milliseconds
 * @throws Refusal what makes the request pointless, at once; 503 when the patience is over
 * @throws the signal's reason
 */
export async function begin(
  servers: UploadServers,
  token: UploadTokenClaims,
  head: ConstructorParameters<typeof Exchange>[1],
  { patience, signal }: { patience: number; signal: AbortSignal },
): Promise<Begun> {
  const deadline = performance.now() + patience;
  const search = new ServerSearch(servers, token);
  for (;;) {
    try {
      return await beginOnce(servers, search, head, signal);
    } catch (error) {
      signal.throwIfAborted();
      const isWaiting = error instanceof Refusal && error.status === 503;
      if (!isWaiting) throw error;
      const pause = search.pause();
      if (performance.now() + pause > deadline) {
        throw new Refusal(
          503,
          `${error.message}, and could not within ${Math.round(patience / 1000)} s. The events of the claim and its ` +
            'DataVolume say what is waited for; send the image again when the DataVolume is UploadReady',
          { cause: error },
        );
      }
      await delay(pause, signal);
      signal.throwIfAborted();
    }
  }
}

async function beginOnce(
  servers: UploadServers,
  search: ServerSearch,
  head: ConstructorParameters<typeof Exchange>[1],
  signal: AbortSignal,
): Promise<Begun> {
  const started = performance.now();
  const server = await search.next(signal);
  const exchange = new Exchange(await servers.connect(server, signal), head);
  const abandon = (): void => exchange.end();
  const timer = setTimeout(abandon, BEGIN_MILLISECONDS);
  signal.addEventListener('abort', abandon, { once: true });
  try {
    const wantsBody = await exchange.begun();
    // Certificates rotate, and one end may know of it before the other.
    if (!wantsBody && (await exchange.answer).status === 401) throw new Error('it does not know the proxy');
    return { exchange, server: await search.reached(server, started, signal), wantsBody };
  } catch (error) {
    exchange.end();
    throw new Refusal(503, `the upload server has not taken the image: ${toError(error).message}`, { cause: error });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abandon);
  }
}
