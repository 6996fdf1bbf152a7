import type { ConnectionOptions } from 'node:tls';
import { isNoHttp } from '../failures.ts';
import { type ConnectionTimeouts, type DirectAnswer, DirectConnection, type DirectRequest } from './connection.ts';
import { ConnectionClosed } from './connection-closed.ts';
import { Http2Only } from './http2-only.ts';
import type { AcceptsNetwork } from './lookup-within.ts';

/** Longest idle time of a kept connection in milliseconds. Servers close connections after a few seconds. */
const LONGEST_IDLE = 4000;

export interface DirectClientOptions {
  timeouts: ConnectionTimeouts;
  /** TLS options for an https URL. */
  tls: (url: URL) => Promise<ConnectionOptions>;
  /** Bytes of each of the two buffers that a connection receives into. */
  receiveBuffer?: number | undefined;
  signal?: AbortSignal | undefined;
}

interface IdleConnection {
  origin: string;
  connection: DirectConnection;
  since: number;
}

/** Makes requests to web servers without a proxy, and keeps connections for later requests. */
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
   * @param accepts which networks the connection may lead to
   * @param ends ends this request and the body of its answer; the connection is closed
   * @throws NetworkRefused, and the errors of the connection or the response, as `code` says
   */
  async ask(
    url: URL,
    request: DirectRequest,
    accepts: AcceptsNetwork = () => true,
    ends?: AbortSignal,
  ): Promise<DirectAnswer> {
    // A request that changes something must not be repeated (RFC 9110 section 9.2.2), so it gets a new connection.
    const mayRepeat = request.method === 'GET' || request.method === 'HEAD';
    const takeKept = () => (mayRepeat ? this.#takeIdle(url.origin, accepts) : undefined);
    for (let kept = takeKept(); kept !== undefined; kept = takeKept()) {
      try {
        return await this.#askOver(kept, url, request, ends);
      } catch (error) {
        // The server may have closed it while the request was in flight, or have sent more than its last response.
        if (ends?.aborted || (kept.isAnswered && !isNoHttp(error))) throw error;
      }
    }
    const { tls, timeouts, receiveBuffer } = this.#options;
    const signals = [this.#options.signal, ends].filter((each) => each !== undefined);
    const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
    const secured = url.protocol === 'https:' ? await tls(url) : {};
    const connection = await DirectConnection.open(url, secured, { timeouts, accepts, receiveBuffer, signal });
    this.#connections.add(connection);
    // Each connection has its own memory, and many end on a bad network.
    void connection.closed.then(() => {
      this.#connections.delete(connection);
      this.#idle = this.#idle.filter((idle) => idle.connection !== connection);
    });
    try {
      return await this.#askOver(connection, url, request, ends);
    } catch (error) {
      const isSilent = error instanceof ConnectionClosed && !connection.isAnswered;
      if (
        !ends?.aborted &&
        isSilent &&
        connection.protocol === undefined &&
        (await this.#agreesToHttp2(url, secured, accepts))
      ) {
        throw new Http2Only();
      }
      throw error;
    }
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  /**
   * Whether the server accepts HTTP/2. Servers that speak nothing else may reject other protocols by closing the
   * connection silently.
   */
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

  #askOver(
    connection: DirectConnection,
    url: URL,
    request: DirectRequest,
    ends: AbortSignal | undefined,
  ): Promise<DirectAnswer> {
    const end = () => connection.close();
    ends?.addEventListener('abort', end);
    return connection.ask(url, request, () => {
      ends?.removeEventListener('abort', end);
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
