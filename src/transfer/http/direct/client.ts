import type { ConnectionOptions } from 'node:tls';
import { isNoHttp } from '../failures.ts';
import { DirectConnection, type ConnectionTimeouts, type DirectAnswer } from './connection.ts';

/** In milliseconds. Servers close a connection that is idle for longer than a few seconds. */
const LONGEST_IDLE = 4000;

export interface DirectClientOptions {
  timeouts: ConnectionTimeouts;
  /** For https. */
  tls: () => Promise<ConnectionOptions>;
  signal?: AbortSignal | undefined;
}

interface IdleConnection {
  origin: string;
  connection: DirectConnection;
  since: number;
}

/** Makes GET requests to web servers without a proxy between, and keeps connections for the next one. */
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
   * @param headers in lower case
   * @throws what making the connection, or the answer, fails with; `code` tells
   */
  async get(url: URL, headers: Record<string, string>): Promise<DirectAnswer> {
    for (let kept = this.#takeIdle(url.origin); kept !== undefined; kept = this.#takeIdle(url.origin)) {
      try {
        return await this.#ask(kept, url, headers);
      } catch (error) {
        // The server may have closed it while the request was under way, or have sent more than the last answer.
        if (kept.isAnswered && !isNoHttp(error)) throw error;
      }
    }
    const { tls, timeouts, signal } = this.#options;
    const secured = url.protocol === 'https:' ? await tls() : {};
    const connection = await DirectConnection.open(url, secured, timeouts, signal);
    this.#connections.add(connection);
    // It has memory of its own, and a bad network ends many.
    void connection.closed.then(() => {
      this.#connections.delete(connection);
      this.#idle = this.#idle.filter((idle) => idle.connection !== connection);
    });
    return this.#ask(connection, url, headers);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #ask(connection: DirectConnection, url: URL, headers: Record<string, string>): Promise<DirectAnswer> {
    return connection.get(url, headers, () => {
      this.#idle.push({ origin: url.origin, connection, since: performance.now() });
    });
  }

  #takeIdle(origin: string): DirectConnection | undefined {
    const since = performance.now() - LONGEST_IDLE;
    for (const idle of this.#idle) {
      if (!idle.connection.isUsable || idle.since < since) idle.connection.close();
    }
    const found = this.#idle.findLastIndex((idle) => idle.origin === origin && idle.connection.isUsable);
    return found < 0 ? undefined : this.#idle.splice(found, 1)[0]?.connection;
  }
}
