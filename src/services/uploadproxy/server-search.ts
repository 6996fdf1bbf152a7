import { Backoff } from '../../kube/backoff.ts';
import type { UploadTokenClaims } from '../../protocol/upload-token.ts';
import type { UploadServer, UploadServers } from './upload-servers.ts';

/** Milliseconds for which what the API server said is believed, while connecting fails. */
const BELIEF_MILLISECONDS = 5_000;
const connecting = { base: 100, max: 1_000, jitter: 0.2 };
const asking = { base: 100, max: BELIEF_MILLISECONDS, jitter: 0.2 };

/**
 * Where one request finds the upload server that it waits for. Connecting costs little and is tried often; the API
 * server, which answers the whole cluster, is asked seldom.
 */
export class ServerSearch {
  readonly #servers: Pick<UploadServers, 'find'>;
  readonly #token: UploadTokenClaims;
  readonly #connecting = new Backoff(connecting);
  readonly #asking = new Backoff(asking);
  #found: { readonly server: UploadServer; readonly at: number } | undefined;

  constructor(servers: Pick<UploadServers, 'find'>, token: UploadTokenClaims) {
    this.#servers = servers;
    this.#token = token;
  }

  /**
   * Returns the server to connect to.
   *
   * @throws as {@link UploadServers.find}
   */
  async next(signal: AbortSignal): Promise<UploadServer> {
    const { server, at } = this.#found ?? {};
    if (server !== undefined && at !== undefined && performance.now() - at < BELIEF_MILLISECONDS) return server;
    this.#found = undefined;
    return this.#find(signal);
  }

  /** Milliseconds until the next attempt, after one that failed. */
  pause(): number {
    return (this.#found === undefined ? this.#asking : this.#connecting).next();
  }

  /**
   * Returns a server that has been reached as the API server knows it now: it may be another one than it was, in the
   * same place. Where the API server does not answer, what it said before counts.
   */
  async reached(server: UploadServer, askedAt: number, signal: AbortSignal): Promise<UploadServer> {
    if (this.#found !== undefined && this.#found.at >= askedAt) return server;
    return this.#find(signal).catch(() => server);
  }

  async #find(signal: AbortSignal): Promise<UploadServer> {
    const at = performance.now();
    const server = await this.#servers.find(this.#token, signal);
    this.#found = { server, at };
    return server;
  }
}
