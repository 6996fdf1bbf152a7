import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../server/metrics.ts';
import { type Lease, leases } from './builtin-resources.ts';
import type { KubeClient } from './client.ts';
import { delay } from './delay.ts';
import { isAlreadyExists, isConflict, isNotFound, LeadershipLostError, toError } from './errors.ts';

export interface LeaderElectionOptions {
  /** Namespace of the Lease. */
  readonly namespace: string;
  readonly name: string;
  /** Identity that is unique to this process, such as the pod's name. */
  readonly identity: string;
  /** Milliseconds that other candidates wait after they last saw the leader renew. */
  readonly leaseDuration?: number;
  /**
   * Milliseconds without a renewal after which the leader gives up. It has to be shorter than leaseDuration, by more
   * than clocks drift apart.
   */
  readonly renewDeadline?: number;
  /** Milliseconds between renewals of the leader, and between checks of the candidates. */
  readonly retryPeriod?: number;
}

/**
 * Elects a leader by a coordination.k8s.io Lease, in the protocol of client-go: the times written to the Lease are
 * informational; what counts is this process's own monotonic clock, from when it last saw the Lease change. A leader
 * whose event loop was blocked, or that cannot reach the server, stops leading by that same clock, before another one
 * can begin.
 */
export class LeaderElector {
  readonly #client: KubeClient;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #options: Required<LeaderElectionOptions>;
  /** Lease as it was last read or written. */
  #lease: Lease | undefined;
  /** Time at which the Lease was first seen in this state. */
  #observedAt = 0;
  /** Time at which the request that last renewed the lease was started; undefined while not leading. */
  #renewedAt: number | undefined;

  constructor(client: KubeClient, options: LeaderElectionOptions & { logger: Logger; metrics: Metrics }) {
    const { namespace, name, identity, logger, metrics } = options;
    const { leaseDuration = 15_000, renewDeadline = 10_000, retryPeriod = 2_000 } = options;
    if (!(leaseDuration > renewDeadline && renewDeadline > retryPeriod)) {
      throw new RangeError('leader election needs leaseDuration > renewDeadline > retryPeriod');
    }
    this.#client = client;
    this.#options = { namespace, name, identity, leaseDuration, renewDeadline, retryPeriod };
    this.#logger = logger.child({ lease: `${namespace}/${name}`, identity });
    this.#metrics = metrics;
    metrics.leading.set({ name }, 0);
  }

  /**
   * Whether this process may act now. It becomes false as soon as the renewal is overdue, even if no timer has fired
   * yet.
   */
  get leading(): boolean {
    return this.#left() > 0;
  }

  /**
   * Resolves when this process leads.
   *
   * @throws the signal's reason, if that is aborted
   */
  async acquire(signal: AbortSignal): Promise<void> {
    this.#logger.info('waiting for the lease', { step: 'elect' });
    signal.throwIfAborted();
    while (!(await this.#attempt(this.#options.renewDeadline))) {
      // The jitter prevents all candidates from asking at once.
      await delay(this.#options.retryPeriod * (1 + Math.random() / 5), signal);
      signal.throwIfAborted();
    }
    this.#metrics.leading.set({ name: this.#options.name }, 1);
    this.#logger.info('leading', { step: 'elect' });
  }

  /**
   * Renews the lease until the signal is aborted, and then resolves.
   *
   * @throws {LeadershipLostError} another process has the lease, or it could not be renewed in time
   */
  async hold(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#pause(Math.max(0, Math.min(this.#options.retryPeriod, this.#left())), signal);
      if (signal.aborted) return;
      if (!this.leading) throw this.#lost('it could not be renewed in time');
      const renewed = await this.#attempt(this.#left());
      const holder = this.#lease?.spec?.holderIdentity;
      if (!renewed && holder && holder !== this.#options.identity) throw this.#lost(`${holder} has it`);
    }
  }

  /** Releases the lease, so that another process need not wait for it to expire. Call it once nothing acts any more. */
  async release(): Promise<void> {
    if (!this.leading || !this.#lease) return;
    this.#stop();
    try {
      const spec = { ...this.#lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime() };
      const signal = AbortSignal.timeout(this.#options.renewDeadline);
      await this.#client.update(leases, { ...this.#lease, spec }, { signal });
      this.#logger.info('lease released', { step: 'release' });
    } catch (error) {
      this.#logger.warn('the lease could not be released', { step: 'release', error: toError(error).message });
    }
  }

  /** Returns the milliseconds for which this process may still act without another renewal. */
  #left(): number {
    return this.#renewedAt === undefined ? 0 : this.#renewedAt + this.#options.renewDeadline - performance.now();
  }

  async #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    const start = performance.now();
    await delay(milliseconds, signal);
    const late = performance.now() - start - milliseconds;
    if (late > this.#options.retryPeriod) {
      this.#logger.warn('the event loop was blocked', { step: 'renew', milliseconds: Math.round(late) });
    }
  }

  #lost(why: string): LeadershipLostError {
    this.#stop();
    return new LeadershipLostError(`lost the lease ${this.#options.namespace}/${this.#options.name}: ${why}`);
  }

  #stop(): void {
    this.#renewedAt = undefined;
    this.#metrics.leading.set({ name: this.#options.name }, 0);
  }

  /**
   * Tries once to acquire or renew the lease.
   *
   * @param timeout milliseconds after which an answer would be useless
   * @returns whether this process has the lease now
   */
  async #attempt(timeout: number): Promise<boolean> {
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(timeout)));
    try {
      // The holder continues from what it last wrote; a write by another process since then shows as a conflict.
      if (this.#renewedAt === undefined) await this.#observe(signal);
      if (!this.#mayTake()) return false;
      const started = performance.now();
      this.#keep(await this.#write(signal));
      this.#renewedAt = started;
      return true;
    } catch (error) {
      if (isConflict(error) || isAlreadyExists(error) || isNotFound(error)) {
        await this.#observe(signal).catch(() => undefined);
        return false;
      }
      this.#logger.warn('the lease could not be read or written', { step: 'elect', error: toError(error).message });
      return false;
    }
  }

  #mayTake(): boolean {
    const { holderIdentity, leaseDurationSeconds = 0 } = this.#lease?.spec ?? {};
    if (!holderIdentity || holderIdentity === this.#options.identity) return true;
    return performance.now() - this.#observedAt > leaseDurationSeconds * 1000;
  }

  async #write(signal: AbortSignal): Promise<Lease> {
    const { namespace, name, identity, leaseDuration } = this.#options;
    const now = microTime();
    const spec = { holderIdentity: identity, leaseDurationSeconds: Math.ceil(leaseDuration / 1000), renewTime: now };
    const current = this.#lease;
    if (!current) {
      const first = { ...spec, acquireTime: now, leaseTransitions: 0 };
      return this.#client.create(leases, { metadata: { namespace, name }, spec: first }, { signal });
    }
    const { acquireTime, holderIdentity, leaseTransitions = 0 } = current.spec ?? {};
    const term =
      holderIdentity === identity
        ? { ...(acquireTime && { acquireTime }), leaseTransitions }
        : { acquireTime: now, leaseTransitions: leaseTransitions + 1 };
    return this.#client.update(leases, { ...current, spec: { ...spec, ...term } }, { signal });
  }

  async #observe(signal: AbortSignal): Promise<void> {
    const { namespace, name } = this.#options;
    this.#keep(await this.#client.get(leases, { namespace, name }, { signal }));
  }

  #keep(lease: Lease | undefined): void {
    if (lease?.metadata?.resourceVersion !== this.#lease?.metadata?.resourceVersion)
      this.#observedAt = performance.now();
    this.#lease = lease;
  }
}

/** Returns the current time with the six fractional digits that the API requires of a MicroTime. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
