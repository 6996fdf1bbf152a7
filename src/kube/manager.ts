import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from '../base/logger.ts';
import { type Check, HealthServer } from '../server/health-server.ts';
import { Metrics } from '../server/metrics.ts';
import { collectProcessMetrics } from '../server/process-metrics.ts';
import { KubeClient } from './client.ts';
import { Controller, type ControllerOptions, type Reconciler } from './controller.ts';
import { EventRecorder } from './events.ts';
import { Informer, type InformerOptions } from './informer.ts';
import { type LeaderElectionOptions, LeaderElector } from './leader-election.ts';
import { type KubeObject, type Resource, resourceName } from './resource.ts';

export interface ManagerOptions {
  readonly kubeConfig: KubeConfig;
  readonly logger: Logger;
  /** Component name in events and requests. */
  readonly component?: string;
  /** Leader election options; without them, the controllers run at once. */
  readonly leaderElection?: LeaderElectionOptions;
  /** Port of /healthz, /readyz and /metrics; 0 for any free one. They are not served without it. */
  readonly port?: number;
  /** Whether /metrics is served there, to anybody; by default it is. */
  readonly servesMetrics?: boolean;
  readonly host?: string;
  /** Milliseconds that the informers may take for their first lists. */
  readonly syncTimeout?: number;
  /** Milliseconds that reconciliations may take to finish when the manager stops. */
  readonly stopTimeout?: number;
  /** Options of every informer, unless it has its own. */
  readonly informerDefaults?: Pick<InformerOptions<KubeObject>, 'watchSeconds' | 'idleTimeout' | 'backoff'>;
}

interface Shared {
  readonly key: string;
  readonly prune: unknown;
  readonly informer: Informer<KubeObject>;
}

/**
 * Runs the controllers of one process, and what they share: the client, the caches, the lease, events, health and
 * metrics.
 */
export class Manager {
  readonly client: KubeClient;
  readonly events: EventRecorder;
  readonly metrics = new Metrics();
  readonly #options: ManagerOptions;
  readonly #logger: Logger;
  readonly #health: HealthServer;
  readonly #elector: LeaderElector | undefined;
  readonly #informers: Shared[] = [];
  /** The informers that take own writes, by their resources. */
  readonly #writtenTo = new Map<Resource<KubeObject>, Informer<KubeObject>[]>();
  readonly #controllers: Controller[] = [];
  readonly #caches = new AbortController();
  #started = false;
  #port: number | undefined;

  constructor(options: ManagerOptions) {
    const { kubeConfig, logger, leaderElection, component = 'controller-manager' } = options;
    const { metrics } = this;
    this.#health = new HealthServer(options.servesMetrics === false ? undefined : metrics);
    this.#options = options;
    this.#logger = logger;
    this.client = new KubeClient(kubeConfig, {
      metrics,
      userAgent: component,
      onWrite: (resource, object) => this.#written(resource, object),
    });
    this.events = new EventRecorder(this.client, { component, logger, metrics });
    if (leaderElection) this.#elector = new LeaderElector(this.client, { ...leaderElection, logger, metrics });
    collectProcessMetrics(metrics.registry);
    this.addHealthCheck('ping', () => undefined);
  }

  /** The port of /healthz and /readyz, once they are served. */
  get port(): number | undefined {
    return this.#port;
  }

  /**
   * Returns the informer of a resource; the same one for the same options. Once the manager runs, a new one starts at
   * once.
   */
  informer<T extends KubeObject>(resource: Resource<T>, options: InformerOptions<T> = {}): Informer<T> {
    const { prune, ...selection } = options;
    const key = JSON.stringify([resourceName(resource), resource.version, selection]);
    const shared = this.#informers.find((other) => other.key === key && other.prune === prune);
    if (shared) return shared.informer as unknown as Informer<T>;
    const informer = new Informer(this.client, resource, {
      ...this.#options.informerDefaults,
      ...options,
      logger: this.#logger,
      metrics: this.metrics,
    });
    const added = informer as unknown as Informer<KubeObject>;
    this.#informers.push({ key, prune, informer: added });
    if (added.takesWrites) this.#writtenTo.set(resource, [...(this.#writtenTo.get(resource) ?? []), added]);
    this.addReadyCheck(`informer ${informer.name}`, () => informer.problem);
    if (this.#started) void informer.start(this.#caches.signal);
    return informer;
  }

  /** @throws Error if the manager already runs, or has a controller of that name */
  addController(reconciler: Reconciler, options: ControllerOptions): void {
    if (this.#started) throw new Error(`controller ${reconciler.name} was added after the manager was started`);
    if (this.#controllers.some(({ name }) => name === reconciler.name)) {
      throw new Error(`there is a controller ${reconciler.name} already`);
    }
    this.#controllers.push(new Controller(reconciler, { ...options, logger: this.#logger, metrics: this.metrics }));
  }

  /** Adds a liveness check: this process should be restarted when the check reports a problem. */
  addHealthCheck(name: string, check: Check): void {
    this.#health.addCheck('/healthz', name, check);
  }

  /** Adds a readiness check: this process should not be relied on while the check reports a problem. */
  addReadyCheck(name: string, check: Check): void {
    this.#health.addCheck('/readyz', name, check);
  }

  /**
   * Fills the caches, waits for the lease, and runs the controllers until the signal is aborted. Resolves when
   * everything has stopped, in this order: reconciliations in flight finish, events are written, the lease is released,
   * the caches stop. Reconciliations that do not finish in time lose their connections.
   *
   * @throws {LeadershipLostError} at once: exit then, because another process already acts
   * @throws Error if the caches could not be filled in time, or the port is taken
   */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#started) throw new Error('a manager runs once');
    this.#started = true;
    try {
      if (this.#options.port !== undefined) {
        this.#port = await this.#health.listen(this.#options.port, this.#options.host);
        this.#logger.info('serving health', { step: 'start', port: this.#port });
      }
      for (const { informer } of this.#informers) void informer.start(this.#caches.signal);
      await this.#waitForCaches(signal);
      await this.#lead(signal);
    } catch (error) {
      // The manager was asked to stop before there was anything to stop.
      if (!signal.aborted) throw error;
    } finally {
      this.#caches.abort();
      await this.#health.close();
      await this.client.close();
    }
  }

  #written(resource: Resource<KubeObject>, object: KubeObject): void {
    // One of them may have the object itself.
    const [one, ...others] = this.#writtenTo.get(resource) ?? [];
    for (const informer of others) informer.written(structuredClone(object));
    one?.written(object);
  }

  async #waitForCaches(signal: AbortSignal): Promise<void> {
    const { syncTimeout = 120_000 } = this.#options;
    const timeout = AbortSignal.timeout(syncTimeout);
    try {
      const limit = AbortSignal.any([signal, timeout]);
      await Promise.all(this.#informers.map(({ informer }) => informer.waitForSync(limit)));
    } catch (error) {
      if (!timeout.aborted) throw error;
      const missing = this.#informers
        .filter(({ informer }) => !informer.hasSynced)
        .map(({ informer }) => informer.name);
      throw new Error(
        `no complete list of ${missing.join(', ')} within ${syncTimeout / 1000} s: is the API server reachable, ` +
          'are the CRDs installed, and may this user list and watch them? The log has each failure.',
        { cause: error },
      );
    }
  }

  /** Runs the controllers while this process leads. */
  async #lead(signal: AbortSignal): Promise<void> {
    await this.#elector?.acquire(signal);
    const working = new AbortController();
    const holding = new AbortController();
    const stop = () => working.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const mayAct = () => this.#elector?.leading ?? true;
    const work = Promise.all(this.#controllers.map((controller) => controller.run(working.signal, mayAct)));
    const lease = this.#elector?.hold(holding.signal);
    try {
      await Promise.race([aborted(working.signal), ...(lease ? [lease] : [])]);
      this.#logger.info('stopping', { step: 'stop' });
      const { stopTimeout = 30_000 } = this.#options;
      const finished = await Promise.race([
        work.then(() => this.events.flush()).then(() => true),
        sleep(stopTimeout, false, { ref: false }),
        ...(lease ? [lease.then(() => false)] : []),
      ]);
      holding.abort();
      await lease;
      // A reconciliation that has not finished may still act: the lease then has to expire.
      if (finished) await this.#elector?.release();
      else this.#logger.warn('reconciliations did not end in time', { step: 'stop', milliseconds: stopTimeout });
    } finally {
      signal.removeEventListener('abort', stop);
      working.abort();
      holding.abort();
    }
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
