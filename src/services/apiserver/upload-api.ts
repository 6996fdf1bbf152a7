import { createServer, type Server } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from '../../base/logger.ts';
import { Manager } from '../../kube/manager.ts';
import { listen } from '../../server/listen.ts';
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
/** Milliseconds until the API server has usually noticed that a pod is not ready any more. */
const UNREADY_MILLISECONDS = 5_000;
/** Milliseconds for the requests that are under way when no more are taken. */
const DRAIN_MILLISECONDS = 10_000;

export interface UploadApiOptions {
  readonly kubeConfig: KubeConfig;
  /** Namespace of the installation. */
  readonly namespace: string;
  readonly logger: Logger;
  /** Port for the API server; 0 for any free one. */
  readonly port: number;
  /** Port of /healthz, /readyz and /metrics; 0 for any free one. */
  readonly metricsPort: number;
  readonly host?: string;
  /** Milliseconds between the moment that it is not ready any more and the moment that it takes no more requests. */
  readonly unreadyFor?: number;
}

/** The aggregated API of uploads, which the API server of the cluster passes users' requests on to. */
export class UploadApi {
  readonly #options: UploadApiOptions;
  readonly #manager: Manager;
  readonly #server: Server;
  #isStopping = false;
  #port: number | undefined;

  constructor(options: UploadApiOptions) {
    const { kubeConfig, logger, namespace, metricsPort, host } = options;
    this.#options = options;
    this.#manager = new Manager({
      kubeConfig,
      logger,
      component: 'cdi-apiserver',
      port: metricsPort,
      ...(host !== undefined && { host }),
    });
    const keys = new KeyMaterial(this.#manager, { namespace, logger });
    this.#manager.addReadyCheck('keys', () => keys.problem);
    this.#manager.addReadyCheck('running', () => (this.#isStopping ? 'it is about to end' : undefined));
    const routes = new Routes({
      frontProxy: () => keys.frontProxy,
      tokens: new UploadTokens(this.#manager.client, () => keys.signer),
      claims: new ClaimWebhook(new ClaimRendering(this.#manager), `system:serviceaccount:${namespace}:cdi-sa`),
      isStopping: () => this.#isStopping,
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
    keys.onContext((context) => this.#server.setSecureContext(context));
  }

  /** The port for the API server, once it is served. */
  get port(): number | undefined {
    return this.#port;
  }

  /** The port of /healthz, /readyz and /metrics, once they are served. */
  get metricsPort(): number | undefined {
    return this.#manager.port;
  }

  /**
   * Serves until the signal is aborted and the requests under way by then have been answered.
   *
   * @throws Error if the keys could not be watched, or a port is taken
   */
  async run(signal: AbortSignal): Promise<void> {
    const { logger, port, host, unreadyFor = UNREADY_MILLISECONDS } = this.#options;
    const working = new AbortController();
    const running = this.#manager.run(working.signal);
    try {
      this.#port = await listen(this.#server, { port, ...(host !== undefined && { host }) });
      logger.info('serving the upload API', { step: 'start', port: this.#port });
      await Promise.race([aborted(signal), running]);
      this.#isStopping = true;
      logger.info('stopping', { step: 'stop' });
      await Promise.race([sleep(unreadyFor), running]);
      const closed = new Promise((resolve) => this.#server.close(resolve));
      await Promise.race([closed, sleep(DRAIN_MILLISECONDS)]);
    } finally {
      working.abort();
      this.#server.close();
      this.#server.closeAllConnections();
      await running;
    }
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
