import type { ConnectionOptions } from 'node:tls';
import { isNoHttp } from '../failures.ts';
import { ConnectionClosed } from './connection-closed.ts';
import { DirectConnection, type ConnectionTimeouts, type DirectAnswer, type DirectRequest } from './connection.ts';
import { Http2Only } from './http2-only.ts';
import type { AcceptsNetwork } from './lookup-within.ts';

/** In milliseconds. Servers close a connection that is idle for longer than a few seconds. */
const LONGEST_IDLE = 4000;

export interface DirectClientOptions {
  timeouts: ConnectionTimeouts;
  /** For a URL of https. */
  tls: (url: URL) => Promise<ConnectionOptions>;
  signal?: AbortSignal | undefined;
}

interface IdleConnection {
  origin: string;
  connection: DirectConnection;
  since: number;
}

/** Makes requests to web servers without a proxy between, and keeps connections for the next one. */
export class DirectClient {
  readonly #options: DirectClientOptions;
  readonly #connections = new Set<DirectConnection>();
  #idle: IdleConnection[] = [];

  constructor(options: DirectClientOptions) {
    this.#options = options;
    options.signal?.addEventListener('abort', () => {
      this.close();
    });
  }

  /**
   * @param accepts which networks it may lead to
   * @throws NetworkRefused, and what making the connection, or the answer, fails with; `code` tells
   */
  async ask(url: URL, request: DirectRequest, accepts: AcceptsNetwork = () => true): Promise<DirectAnswer> {
    // What changes something is not to be done twice (RFC 9110 section 9.2.2), so it gets a connection that works.
    const mayRepeat = request.method === 'GET';
    const takeKept = () => (mayRepeat ? this.#takeIdle(url.origin, accepts) : undefined);
    for (let kept = takeKept(); kept !== undefined; kept = takeKept()) {
      try {
        return await this.#askOver(kept, url, request);
      } catch (error) {
        // The server may have closed it while the request was under way, or have sent more than the last answer.
        if (kept.isAnswered && !isNoHttp(error)) throw error;
      }
    }
    const { tls, timeouts, signal } = this.#options;
    const secured = url.protocol === 'https:' ? await tls(url) : {};
    const connection = await DirectConnection.open(url, secured, { timeouts, accepts, signal });
    this.#connections.add(connection);
    // It has memory of its own, and a bad network ends many.
    void connection.closed.then(() => {
      this.#connections.delete(connection);
      this.#idle = this.#idle.filter((idle) => idle.connection !== connection);
    });
    try {
      return await this.#askOver(connection, url, request);
    } catch (error) {
      const isSilent = error instanceof ConnectionClosed && !connection.isAnswered;
      if (isSilent && connection.protocol === undefined && (await this.#agreesToHttp2(url, secured, accepts))) {
        throw new Http2Only();
      }
      throw error;
    }
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  /** Some servers that speak nothing else agree to no other protocol, and close the connection without a word. */
  async #agreesToHttp2(url: URL, tls: ConnectionOptions, accepts: AcceptsNetwork): Promise<boolean> {
    if (url.protocol !== 'https:') return false;
    const { timeouts, signal } = this.#options;
    try {
      const connection = await DirectConnection.open(url, tls, { timeouts, accepts, signal, protocol: 'h2' });
      connection.close();
      return connection.protocol === 'h2';
    } catch {
      return false;
    }
  }

  #askOver(connection: DirectConnection, url: URL, request: DirectRequest): Promise<DirectAnswer> {
    return connection.ask(url, request, () => {
      this.#idle.push({ origin: url.origin, connection, since: performance.now() });
    });
  }

  #takeIdle(origin: string, accepts: AcceptsNetwork): DirectConnection | undefined {
    const since = performance.now() - LONGEST_IDLE;
    for (const idle of this.#idle) {
      if (!idle.connection.isUsable || idle.since < since) idle.connection.close();
    }
    const found = this.#idle.findLastIndex(
      ({ origin: reached, connection }) => reached === origin && connection.isUsable && accepts(connection.network),
    );
    return found < 0 ? undefined : this.#idle.splice(found, 1)[0]?.connection;
  }
}
