import { createServer, type Server } from 'node:https';
import { Service, type ServiceOptions } from '../service.ts';
import { ClaimRendering } from './claim-rendering.ts';
import { ClaimWebhook } from './claim-webhook.ts';
import { KeyMaterial } from './key-material.ts';
import { Routes } from './routes.ts';
import { UploadTokens } from './upload-tokens.ts';

/** Size of a request's head, in bytes: users may be in many groups, each of which is a header. */
const LARGEST_HEAD = 256 * 1024;
/** Milliseconds for a request, from its first byte to its last. */
const REQUEST_TIMEOUT_MILLISECONDS = 10_000;
const HANDSHAKE_TIMEOUT_MILLISECONDS = 10_000;
/** Longer than the API server keeps an idle connection, so that it is the one who closes it. */
const IDLE_TIMEOUT_MILLISECONDS = 120_000;
const MAXIMUM_CONNECTIONS = 400;
/** Milliseconds for the requests that are under way when no more are taken. */
const DRAIN_MILLISECONDS = 10_000;

/** The aggregated API of uploads, which the API server of the cluster passes users' requests on to. */
export class UploadApi {
  readonly #service: Service;
  readonly #server: Server;

  constructor(options: ServiceOptions) {
    const { logger, namespace } = options;
    this.#service = new Service('cdi-apiserver', options);
    const { manager } = this.#service;
    const keys = new KeyMaterial(manager, { namespace, logger });
    manager.addReadyCheck('keys', () => keys.problem);
    const routes = new Routes({
      frontProxy: () => keys.frontProxy,
      tokens: new UploadTokens(manager.client, () => keys.signer),
      claims: new ClaimWebhook(new ClaimRendering(manager), `system:serviceaccount:${namespace}:cdi-sa`),
      isStopping: () => this.#service.isStopping,
      logger,
    });
    this.#server = createServer({
      maxHeaderSize: LARGEST_HEAD,
      headersTimeout: REQUEST_TIMEOUT_MILLISECONDS,
      requestTimeout: REQUEST_TIMEOUT_MILLISECONDS,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MILLISECONDS,
      keepAliveTimeout: IDLE_TIMEOUT_MILLISECONDS,
      connectionsCheckingInterval: REQUEST_TIMEOUT_MILLISECONDS / 10,
      // Whoever shows no certificate is told so, and may ask what is served.
      requestCert: true,
      rejectUnauthorized: false,
    });
    this.#server.maxConnections = MAXIMUM_CONNECTIONS;
    this.#server.on('request', (request, response) => void routes.answer(request, response));
    keys.server.onChange((options) => this.#server.setSecureContext(options));
  }

  /** The port for the API server, once it is served. */
  get port(): number | undefined {
    return this.#service.port;
  }

  /** The port of /healthz, /readyz and /metrics, once they are served. */
  get metricsPort(): number | undefined {
    return this.#service.metricsPort;
  }

  /**
   * Serves until the signal is aborted and the requests under way by then have been answered.
   *
   * @throws Error if the keys could not be watched, or a port is taken
   */
  async run(signal: AbortSignal): Promise<void> {
    await this.#service.serve(this.#server, signal, { limit: DRAIN_MILLISECONDS });
  }
}
