import { Backoff } from '../../kube/backoff.ts';
import { delay } from '../../kube/delay.ts';
import { toError } from '../../kube/errors.ts';
import type { UploadTokenClaims } from '../../protocol/upload-token.ts';
import { Exchange } from './exchange.ts';
import { Refusal } from './refusal.ts';
import type { UploadServer, UploadServers } from './upload-servers.ts';

/** Milliseconds that a server may take to want a body, once it is connected to. */
const BEGIN_MILLISECONDS = 30_000;
const backoff = { base: 100, max: 1000, jitter: 0.2 };

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
  const delays = new Backoff(backoff);
  for (;;) {
    try {
      return await beginOnce(servers, token, head, signal);
    } catch (error) {
      signal.throwIfAborted();
      const isWaiting = error instanceof Refusal && error.status === 503;
      if (!isWaiting) throw error;
      const pause = delays.next();
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
  token: UploadTokenClaims,
  head: ConstructorParameters<typeof Exchange>[1],
  signal: AbortSignal,
): Promise<Begun> {
  const server = await servers.find(token, signal);
  const exchange = new Exchange(await servers.connect(server, signal), head);
  const abandon = (): void => exchange.end();
  const timer = setTimeout(abandon, BEGIN_MILLISECONDS);
  signal.addEventListener('abort', abandon, { once: true });
  try {
    const wantsBody = await exchange.begun();
    // Certificates rotate, and one end may know of it before the other.
    if (!wantsBody && (await exchange.answer).status === 401) throw new Error('it does not know the proxy');
    return { exchange, server, wantsBody };
  } catch (error) {
    exchange.end();
    throw new Refusal(503, `the upload server has not taken the image: ${toError(error).message}`, { cause: error });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abandon);
  }
}
