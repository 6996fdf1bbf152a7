import { createServer, type Server } from 'node:https';
import type { Asset } from '../../dashboard/assets.ts';
import { Board } from '../../dashboard/board.ts';
import { PageRoutes } from '../../dashboard/routes.ts';
import { watchedNames } from '../../dashboard/rows/row.ts';
import { secrets } from '../../kube/builtin-resources.ts';
import { KeyWatch } from '../../kube/key-watch.ts';
import { keyPairIn } from '../../kube/secret-content.ts';
import { roleCertificates } from '../../protocol/installation.ts';
import { ServerContext } from '../server-context.ts';
import { Service, type ServiceOptions } from '../service.ts';
import { Authentication } from './authentication.ts';
import { Rights } from './rights.ts';
import { Routes } from './routes.ts';

/** Size of a request's head, in bytes: tokens may be large. */
const LARGEST_HEAD = 32 * 1024;
/** Milliseconds for a request, from its first byte to its last. */
const REQUEST_TIMEOUT_MILLISECONDS = 10_000;
const HANDSHAKE_TIMEOUT_MILLISECONDS = 10_000;
const IDLE_TIMEOUT_MILLISECONDS = 30_000;
const MAXIMUM_CONNECTIONS = 500;
/** Milliseconds for the requests that are under way when no more are taken. */
const DRAIN_MILLISECONDS = 10_000;

const CERTIFICATE_SECRET = roleCertificates.dashboard.secret;

export interface DashboardOptions extends ServiceOptions {
  /** What the page loads. */
  readonly assets: ReadonlyMap<string, Asset>;
}

/** Serves the page to everybody with a token of the cluster; each sees what the cluster lets it list. */
export class Dashboard {
  readonly #service: Service;
  readonly #page: PageRoutes;
  readonly #server: Server;

  constructor(options: DashboardOptions) {
    const { logger, namespace, assets } = options;
    this.#service = new Service('cdi-dashboard', options);
    const { manager } = this.#service;
    const context = new ServerContext();
    const watch = new KeyWatch(manager, logger);
    const certificate = watch.object(secrets, { namespace, name: CERTIFICATE_SECRET });
    watch.use('server certificate', certificate, () => {
      const [secret] = certificate.list();
      if (!secret) return false;
      context.replace(keyPairIn(secret));
      return true;
    });
    manager.addReadyCheck('keys', () =>
      context.isThere ? undefined : `waiting for Secret ${CERTIFICATE_SECRET}, which the controllers make`,
    );
    const board = new Board((resource, own) => manager.informer(resource, own), new Set(watchedNames));
    this.#page = new PageRoutes(board, assets, { scope: 'What you may list in this cluster', notes: [] });
    const routes = new Routes({
      page: this.#page,
      board,
      authentication: new Authentication(manager.client),
      rights: new Rights(manager.client),
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
    });
    this.#server.maxConnections = MAXIMUM_CONNECTIONS;
    this.#server.on('request', (request, response) => void routes.answer(request, response));
    context.onChange((changed) => this.#server.setSecureContext(changed));
  }

  /** The port for browsers, once it is served. */
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
   * @throws Error if something could not be watched, or a port is taken
   */
  async run(signal: AbortSignal): Promise<void> {
    await this.#service.serve(this.#server, signal, { onClosing: () => this.#page.close(), limit: DRAIN_MILLISECONDS });
  }
}
