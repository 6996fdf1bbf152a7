import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { Gauge } from 'prom-client';
import { Service, type ServiceOptions } from '../service.ts';
import { Uploads } from './admission.ts';
import { KeyMaterial } from './key-material.ts';
import { Refusal } from './refusal.ts';
import { Routes } from './routes.ts';
import { UploadServers } from './upload-servers.ts';

/** Size of a request's head, in bytes. */
const LARGEST_HEAD = 16 * 1024;
/** Milliseconds for a request's head, from the connection or the end of the request before. */
const HEAD_TIMEOUT_MILLISECONDS = 10_000;
const HANDSHAKE_TIMEOUT_MILLISECONDS = 10_000;
const IDLE_TIMEOUT_MILLISECONDS = 5_000;
const MAXIMUM_CONNECTIONS = 400;
export interface UploadProxyOptions extends ServiceOptions {
  /** Port of upload servers; by default that of their pods. */
  readonly uploadServerPort?: number;
}

/** Takes images from clients outside of the cluster, and passes each on to the upload server of its claim. */
export class UploadProxy {
  readonly #service: Service;
  readonly #uploads = new Uploads();
  readonly #refusing = new AbortController();
  readonly #server: Server;

  constructor(options: UploadProxyOptions) {
    const { logger, namespace } = options;
    this.#service = new Service('cdi-uploadproxy', options);
    const { manager } = this.#service;
    const keys = new KeyMaterial(manager, { namespace, logger });
    manager.addReadyCheck('keys', () => keys.problem);
    this.#server = this.#createServer(
      new Routes({
        keys,
        servers: new UploadServers(manager.client, keys, options.uploadServerPort),
        uploads: this.#uploads,
        logger,
        stopping: this.#refusing.signal,
      }),
    );
    keys.server.onChange((options) => this.#server.setSecureContext(options));
    this.#countUploads();
  }

  /** The port for clients, once it is served. */
  get port(): number | undefined {
    return this.#service.port;
  }

  /** The port of /healthz, /readyz and /metrics, once they are served. */
  get metricsPort(): number | undefined {
    return this.#service.metricsPort;
  }

  /**
   * Serves until the signal is aborted and the uploads under way by then have ended.
   *
   * @throws Error if the keys could not be watched, or a port is taken
   */
  async run(signal: AbortSignal): Promise<void> {
    const ending = new Refusal(
      503,
      'this upload proxy is about to end: send the image again, and another one takes it',
    );
    await this.#service.serve(this.#server, signal, { onClosing: () => this.#refusing.abort(ending) });
  }

  #createServer(routes: Routes): Server {
    const server = createServer({
      maxHeaderSize: LARGEST_HEAD,
      headersTimeout: HEAD_TIMEOUT_MILLISECONDS,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MILLISECONDS,
      keepAliveTimeout: IDLE_TIMEOUT_MILLISECONDS,
      connectionsCheckingInterval: HEAD_TIMEOUT_MILLISECONDS / 10,
      // An upload takes as long as it takes.
      requestTimeout: 0,
      noDelay: true,
    });
    server.maxConnections = MAXIMUM_CONNECTIONS;
    server.on('request', (request, response) => void routes.answer(request, response));
    server.on('checkContinue', (request, response) => void routes.answer(request, response, true));
    server.on('clientError', answerMalformed);
    return server;
  }

  #countUploads(): void {
    const { metrics } = this.#service.manager;
    const gauge = new Gauge({
      name: 'diskpress_upload_proxy_uploads',
      help: 'Uploads that are under way, those that wait for their upload server included',
      registers: [metrics.registry],
    });
    metrics.onCollect(() => gauge.set(this.#uploads.count));
  }
}

/** Answers what is no HTTP request, or one whose head is too large or too slow. */
function answerMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, sentence] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', `The head of the request is larger than ${LARGEST_HEAD} bytes.`]
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', `The head of the request took longer than ${HEAD_TIMEOUT_MILLISECONDS / 1000} s.`]
        : ['400 Bad Request', 'This is no HTTP/1.1 request.'];
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${sentence.length + 1}\r\nconnection: close\r\n\r\n${sentence}\n`,
  );
}
