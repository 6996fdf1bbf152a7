import type { Server } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from '../base/logger.ts';
import { Manager } from '../kube/manager.ts';
import { listen } from '../server/listen.ts';

/** Milliseconds until others have usually noticed that a pod is not ready any more. */
const UNREADY_MILLISECONDS = 5_000;

export interface ServiceOptions {
  readonly kubeConfig: KubeConfig;
  /** Namespace of the installation. */
  readonly namespace: string;
  readonly logger: Logger;
  /** Port of the server; 0 for any free one. */
  readonly port: number;
  /** Port of /healthz, /readyz and /metrics; 0 for any free one. */
  readonly metricsPort: number;
  readonly host?: string;
  /** Milliseconds between the moment that it is not ready any more and the moment that it takes no more requests. */
  readonly unreadyFor?: number;
}

/** How the end of a service treats the requests that are under way. */
export interface Draining {
  /** Called when no more connections are taken. */
  readonly onClosing?: () => void;
  /** Milliseconds that these requests may still take; by default they take as long as they take. */
  readonly limit?: number;
}

/** What the servers of an installation have in common: health, metrics, watches, and an end that breaks nothing off. */
export class Service {
  /** Runs the watches, and serves health and metrics. */
  readonly manager: Manager;
  readonly #options: ServiceOptions;
  #isStopping = false;
  #port: number | undefined;

  /** @param component that events and metrics name */
  constructor(component: string, options: ServiceOptions) {
    const { kubeConfig, logger, metricsPort, host } = options;
    this.#options = options;
    this.manager = new Manager({
      kubeConfig,
      logger,
      component,
      port: metricsPort,
      ...(host !== undefined && { host }),
    });
    this.manager.addReadyCheck('running', () => (this.#isStopping ? 'it is about to end' : undefined));
  }

  /** Whether it has been told to end. */
  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** The port of the server, once it listens. */
  get port(): number | undefined {
    return this.#port;
  }

  /** The port of /healthz, /readyz and /metrics, once they are served. */
  get metricsPort(): number | undefined {
    return this.manager.port;
  }

  /**
   * Serves until the signal is aborted and the requests under way by then have ended.
   *
   * @throws Error if something could not be watched, or a port is taken
   */
  async serve(server: Server, signal: AbortSignal, { onClosing, limit }: Draining = {}): Promise<void> {
    const { logger, port, host, unreadyFor = UNREADY_MILLISECONDS } = this.#options;
    const working = new AbortController();
    const running = this.manager.run(working.signal);
    try {
      this.#port = await listen(server, { port, ...(host !== undefined && { host }) });
      logger.info('serving', { step: 'start', port: this.#port });
      await Promise.race([aborted(signal), running]);
      this.#isStopping = true;
      logger.info('stopping', { step: 'stop' });
      // Connections arrive for as long as others have not noticed that this pod is not ready.
      await Promise.race([sleep(unreadyFor), running]);
      onClosing?.();
      const closed = new Promise((resolve) => server.close(resolve));
      await Promise.race([closed, ...(limit === undefined ? [] : [sleep(limit)])]);
    } finally {
      working.abort();
      server.close();
      server.closeAllConnections();
      await running;
    }
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
