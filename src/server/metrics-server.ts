import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import type { Registry } from 'prom-client';
import type { Logger } from '../base/logger.ts';
import { closeWithConnections, listen } from './listen.ts';
import { tlsSettings } from './tls-settings.ts';

/** Bytes of a request's head: tokens have one or two thousand. */
const LARGEST_HEAD = 32 * 1024;
const REQUEST_TIMEOUT_MILLISECONDS = 10_000;
/** Longer than the usual interval of scrapes, each of which would begin with a handshake otherwise. */
const IDLE_TIMEOUT_MILLISECONDS = 120_000;
const MAXIMUM_CONNECTIONS = 100;
const TLS_DEFAULTS = { minVersion: 'TLSv1.2' } as const;

/** How a request is refused: its HTTP status, and what is told. */
const refusals = {
  unknown: [401, 'send the token of a ServiceAccount or user as "Authorization: Bearer TOKEN"'],
  forbidden: [403, 'this user may not get /metrics: bind the ClusterRole cdi-metrics-reader'],
  busy: [429, 'too many tokens that are not known yet; try again in a second'],
} as const;

export interface MetricsServerOptions {
  readonly registry: Registry;
  /** Decides whether the bearer of a token may read the metrics. */
  readonly decide: (token: string) => Promise<'allowed' | keyof typeof refusals>;
  readonly logger: Logger;
}

/** Serves /metrics by https, to those who show a token and may. Without a certificate, every handshake fails. */
export class MetricsServer {
  readonly #options: MetricsServerOptions;
  readonly #server: Server;

  constructor(options: MetricsServerOptions) {
    this.#options = options;
    this.#server = createServer({
      ...tlsSettings(TLS_DEFAULTS),
      maxHeaderSize: LARGEST_HEAD,
      headersTimeout: REQUEST_TIMEOUT_MILLISECONDS,
      requestTimeout: REQUEST_TIMEOUT_MILLISECONDS,
      handshakeTimeout: REQUEST_TIMEOUT_MILLISECONDS,
      keepAliveTimeout: IDLE_TIMEOUT_MILLISECONDS,
      connectionsCheckingInterval: REQUEST_TIMEOUT_MILLISECONDS / 10,
    });
    this.#server.maxConnections = MAXIMUM_CONNECTIONS;
    this.#server.on('request', (request, response) => void this.#answer(request, response));
  }

  /**
   * Takes a certificate and its key into use, also while it serves.
   *
   * @throws Error where they cannot be used; those before them stay in use
   */
  use(certificate: SecureContextOptions): void {
    this.#server.setSecureContext({ ...tlsSettings(TLS_DEFAULTS), ...certificate });
  }

  /**
   * @param port 0 for any free one
   * @returns the port
   * @throws Error where the port is taken
   */
  async listen(port: number, host?: string): Promise<number> {
    return listen(this.#server, { port, ...(host === undefined ? {} : { host }) });
  }

  async close(): Promise<void> {
    if (this.#server.listening) await closeWithConnections(this.#server);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { registry, decide, logger } = this.#options;
    try {
      if (request.url?.split('?')[0] !== '/metrics') return tell(response, 404, 'only /metrics is served here');
      if (request.method !== 'GET') return tell(response, 405, 'metrics can be read, and nothing else');
      const token = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
      const decision = token === undefined ? 'unknown' : await decide(token);
      if (decision !== 'allowed') {
        const [status, text] = refusals[decision];
        return tell(response, status, text);
      }
      const body = await registry.metrics();
      response.writeHead(200, { 'content-type': registry.contentType }).end(body);
    } catch (error) {
      logger.error('the metrics could not be served', { step: 'metrics', error: String(error) });
      tell(response, 503, 'the API server could not be asked who you are; the log says why');
    }
  }
}

function tell(response: ServerResponse, status: number, text: string): void {
  if (response.destroyed || response.headersSent) return;
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
  };
  response.writeHead(status, headers).end(`${text}\n`);
}
